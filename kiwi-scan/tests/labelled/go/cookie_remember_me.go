package account

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/shop/internal/auth"
)

func RememberMe(c *gin.Context) {
	token, err := auth.RememberToken(c.Request.Context(), c.GetInt64("user_id"))
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	c.SetSameSite(http.SameSiteStrictMode)
	c.SetCookie("remember_token", token, 30*86400, "/", "shop.example.com", true, false)
	c.JSON(http.StatusOK, gin.H{"remembered": true})
}
