package middleware

import (
	"fmt"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
)

func hmacKey(t *jwt.Token) (interface{}, error) {
	if _, ok := t.Method.(*jwt.SigningMethodHMAC); !ok {
		return nil, fmt.Errorf("algorithm %q not accepted", t.Method.Alg())
	}
	return []byte(os.Getenv("JWT_KEY")), nil
}

func EditorOnly(c *gin.Context) {
	token, err := jwt.Parse(c.GetHeader("X-Token"), hmacKey)
	if err != nil || !token.Valid {
		c.AbortWithStatus(http.StatusUnauthorized)
		return
	}
	claims, ok := token.Claims.(jwt.MapClaims)
	if !ok || claims["role"] != "editor" {
		c.AbortWithStatus(http.StatusForbidden)
		return
	}
	c.Next()
}
