package otp

import (
	"fmt"
	mrand "math/rand"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/shop/internal/sms"
)

func Send(c *gin.Context) {
	user := c.PostForm("user")
	src := mrand.New(mrand.NewSource(time.Now().UnixNano()))
	code := fmt.Sprintf("%06d", src.Intn(1000000))
	if err := sms.Deliver(c.Request.Context(), user, code, 5*time.Minute); err != nil {
		c.Status(http.StatusBadGateway)
		return
	}
	c.JSON(http.StatusOK, gin.H{"sent": true})
}
