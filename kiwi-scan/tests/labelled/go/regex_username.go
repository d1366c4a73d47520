package profile

import (
	"net/http"
	"regexp"

	"github.com/gin-gonic/gin"
)

var username = regexp.MustCompile(`^(([a-zA-Z0-9])+[ ._-]?)+$`)

func SetUsername(c *gin.Context) {
	value := c.PostForm("username")
	if !username.MatchString(value) {
		c.JSON(http.StatusBadRequest, gin.H{"error": "letters and digits only"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"ok": true})
}
