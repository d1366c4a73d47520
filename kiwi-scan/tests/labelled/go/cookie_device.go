package account

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/shop/internal/auth"
)

func TrustDevice(c *gin.Context) {
	token, err := auth.DeviceToken(c.Request.Context(), c.GetInt64("user_id"))
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	c.SetSameSite(http.SameSiteStrictMode)
	c.SetCookie("device_token", token, 30*86400, "/", "shop.example.com", true, true)
	c.JSON(http.StatusOK, gin.H{"trusted": true})
}
