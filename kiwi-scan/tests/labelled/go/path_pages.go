package pages

import (
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/gin-gonic/gin"
)

func Register(r *gin.Engine, root *os.Root) {
	r.GET("/pages/*name", func(c *gin.Context) {
		name := strings.TrimPrefix(c.Param("name"), "/")
		f, err := root.Open(name)
		if err != nil {
			c.JSON(http.StatusNotFound, gin.H{"error": "no such page"})
			return
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, 1<<20))
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.JSON(http.StatusOK, gin.H{"name": name, "text": string(text)})
	})
}
