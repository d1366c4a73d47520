package sso

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

func Complete(c echo.Context) error {
	target := c.QueryParam("continue")
	if !strings.HasPrefix(target, "/") {
		target = "/"
	}
	if len(c.QueryParam("state")) < 16 {
		target = "/sso/error"
	}
	return c.Redirect(http.StatusSeeOther, target)
}
