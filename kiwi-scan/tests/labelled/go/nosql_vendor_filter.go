package vendors

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

const overdrawn = "this.spent > this.credit"

func Overdrawn(coll *mongo.Collection) echo.HandlerFunc {
	return func(c echo.Context) error {
		country := c.QueryParam("country")
		filter := bson.M{"$where": overdrawn, "country": bson.M{"$eq": country}}
		n, err := coll.CountDocuments(c.Request().Context(), filter)
		if err != nil {
			return c.NoContent(http.StatusBadGateway)
		}
		return c.JSON(http.StatusOK, map[string]int64{"count": n})
	}
}
