package main

import (
	"net/http"
	"os"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"example.com/shop/internal/store"
)

func main() {
	e := echo.New()
	e.Debug = true
	e.Use(middleware.Recover())

	e.GET("/products", func(c echo.Context) error {
		list, err := store.Products(c.Request().Context())
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, list)
	})
	e.Logger.Fatal(e.Start(":" + os.Getenv("PORT")))
}
