package profile

import (
	"net/http"

	"github.com/dlclark/regexp2"
	"github.com/gin-gonic/gin"
)

var nickname = regexp2.MustCompile(`^(([a-zA-Z0-9])+[ ._-]?)+$`, regexp2.None)

func SetNickname(c *gin.Context) {
	value := c.PostForm("nickname")
	ok, err := nickname.MatchString(value)
	if err != nil || !ok {
		c.JSON(http.StatusBadRequest, gin.H{"error": "letters and digits only"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"ok": true})
}
