package profile

import (
	"net/http"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/labstack/echo/v4"
)

var slug = regexp2.MustCompile(`^(?!admin$)[a-z][a-z0-9-]{2,40}$`, regexp2.None)

func init() {
	slug.MatchTimeout = 50 * time.Millisecond
}

func CheckSlug(c echo.Context) error {
	value := c.QueryParam("slug")
	if len(value) > 64 {
		return c.NoContent(http.StatusBadRequest)
	}
	ok, err := slug.MatchString(value)
	if err != nil || !ok {
		return c.NoContent(http.StatusBadRequest)
	}
	return c.NoContent(http.StatusNoContent)
}
