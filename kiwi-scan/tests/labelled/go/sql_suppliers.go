package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"gorm.io/gorm"
)

type Supplier struct {
	ID   uint   `json:"id"`
	Name string `json:"name"`
}

func SearchSuppliers(db *gorm.DB) gin.HandlerFunc {
	return func(c *gin.Context) {
		term := "%" + c.Query("q") + "%"
		var found []Supplier
		err := db.Where("name LIKE ?", term).Limit(50).Find(&found).Error
		if err != nil {
			c.JSON(http.StatusInternalServerError, gin.H{"error": "search failed"})
			return
		}
		c.JSON(http.StatusOK, found)
	}
}
