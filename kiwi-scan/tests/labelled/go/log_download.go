package tracking

import (
	"log"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
)

var logger = log.New(os.Stderr, "tracking ", log.LstdFlags)

func Download(c *gin.Context) {
	campaign := c.Query("campaign")
	source := c.DefaultQuery("src", "web")
	logger.Println("download campaign=" + campaign + " src=" + source)
	c.JSON(http.StatusOK, gin.H{"tracked": true})
}
