package notes

import (
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
)

var root = "/data/notes"

func Register(r *gin.Engine) {
	r.GET("/notes/*name", func(c *gin.Context) {
		name := c.Param("name")
		text, err := os.ReadFile(root + name)
		if err != nil {
			c.JSON(http.StatusNotFound, gin.H{"error": "no such note"})
			return
		}
		c.JSON(http.StatusOK, gin.H{"name": name, "text": string(text)})
	})
}
