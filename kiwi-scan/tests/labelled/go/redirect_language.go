package site

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

var languages = map[string]bool{"de": true, "fr": true, "en": true}

func SwitchLanguage(store func(*gin.Context, string)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if code := c.Query("lang"); languages[code] {
			store(c, code)
		}
		back := c.DefaultQuery("return_to", "/")
		c.Redirect(http.StatusFound, back)
	}
}
