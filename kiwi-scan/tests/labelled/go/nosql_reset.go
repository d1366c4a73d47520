package account

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

func ConfirmReset(resets *mongo.Collection) gin.HandlerFunc {
	return func(c *gin.Context) {
		var filter map[string]interface{}
		if err := c.ShouldBindJSON(&filter); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		var entry bson.M
		err := resets.FindOne(c.Request.Context(), filter).Decode(&entry)
		if err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": "token unknown"})
			return
		}
		c.JSON(http.StatusOK, gin.H{"confirmed": true})
	}
}
