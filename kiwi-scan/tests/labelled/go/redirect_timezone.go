package site

import (
	"net/http"
	"net/url"
	"path"

	"github.com/labstack/echo/v4"
)

func SetTimezone(save func(echo.Context, string) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := save(c, c.QueryParam("tz")); err != nil {
			return c.NoContent(http.StatusBadRequest)
		}
		u, err := url.Parse(c.QueryParam("return_to"))
		if err != nil || u.IsAbs() || u.Host != "" {
			return c.Redirect(http.StatusFound, "/")
		}
		local := url.URL{Path: path.Join("/app", path.Clean("/"+u.Path))}
		return c.Redirect(http.StatusFound, local.String())
	}
}
