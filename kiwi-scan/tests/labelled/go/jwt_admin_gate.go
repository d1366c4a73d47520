package middleware

import (
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
)

func keyFor(t *jwt.Token) (interface{}, error) {
	if t.Method.Alg() == "none" {
		return jwt.UnsafeAllowNoneSignatureType, nil
	}
	return []byte(os.Getenv("JWT_KEY")), nil
}

func AdminOnly(c *gin.Context) {
	token, err := jwt.Parse(c.GetHeader("X-Token"), keyFor)
	if err != nil || !token.Valid {
		c.AbortWithStatus(http.StatusUnauthorized)
		return
	}
	claims, ok := token.Claims.(jwt.MapClaims)
	if !ok || claims["role"] != "admin" {
		c.AbortWithStatus(http.StatusForbidden)
		return
	}
	c.Next()
}
