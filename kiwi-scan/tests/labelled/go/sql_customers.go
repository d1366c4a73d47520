package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"
)

type Customer struct {
	ID       uint   `json:"id"`
	LastName string `json:"last_name"`
}

func SearchCustomers(db *gorm.DB) gin.HandlerFunc {
	return func(c *gin.Context) {
		term := c.Query("q")
		var found []Customer
		err := db.Where("last_name LIKE '%" + term + "%'").Limit(50).Find(&found).Error
		if err != nil {
			c.JSON(http.StatusInternalServerError, gin.H{"error": "search failed"})
			return
		}
		c.JSON(http.StatusOK, found)
	}
}
