package products

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

func List(coll *mongo.Collection) echo.HandlerFunc {
	return func(c echo.Context) error {
		brand := c.QueryParam("brand")
		where := "this.active && this.brand == '" + brand + "'"
		ctx := c.Request().Context()
		cur, err := coll.Find(ctx, bson.M{"$where": where})
		if err != nil {
			return c.NoContent(http.StatusBadGateway)
		}
		var list []bson.M
		if err := cur.All(ctx, &list); err != nil {
			return c.NoContent(http.StatusBadGateway)
		}
		return c.JSON(http.StatusOK, list)
	}
}
