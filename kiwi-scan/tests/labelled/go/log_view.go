package tracking

import (
	"log"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

var oneLine = strings.NewReplacer("\r", "", "\n", "")

func View(c *gin.Context) {
	article, err := strconv.Atoi(c.Query("article"))
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	source := oneLine.Replace(c.DefaultQuery("src", "web"))
	log.Println("view article=" + strconv.Itoa(article) + " src=" + source)
	c.JSON(http.StatusOK, gin.H{"tracked": true})
}
