package site

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
)

func ShortLink(c *gin.Context) {
	id, err := strconv.ParseInt(c.Param("id"), 36, 64)
	if err != nil {
		c.Status(http.StatusNotFound)
		return
	}
	target := "/catalogue/items/" + strconv.FormatInt(id, 10)
	c.Redirect(http.StatusFound, target)
}
