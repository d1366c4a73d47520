package main

import (
	"log"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

	"example.com/shop/internal/store"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())

	r.GET("/products", func(c *gin.Context) {
		list, err := store.Products(c.Request.Context())
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.JSON(http.StatusOK, list)
	})
	log.Fatal(r.Run(":" + os.Getenv("PORT")))
}
