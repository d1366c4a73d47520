package account

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

type confirmation struct {
	Token string `json:"token" binding:"required,len=43"`
}

func ConfirmEmail(coll *mongo.Collection) gin.HandlerFunc {
	return func(c *gin.Context) {
		var body confirmation
		if err := c.ShouldBindJSON(&body); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		res := coll.FindOneAndDelete(c.Request.Context(), bson.M{"token": body.Token})
		if res.Err() != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": "token unknown"})
			return
		}
		c.JSON(http.StatusOK, gin.H{"confirmed": true})
	}
}
