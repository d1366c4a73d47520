package webhooks

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

var allowedHosts = map[string]bool{"hooks.example.com": true, "hooks.example.org": true}

var client = &http.Client{
	Timeout: 5 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

func Register(c echo.Context) error {
	u, err := url.Parse(c.FormValue("callback"))
	if err != nil || u.Scheme != "https" || !allowedHosts[u.Host] {
		return c.NoContent(http.StatusBadRequest)
	}
	resp, err := client.Post(u.String(), "application/json", strings.NewReader(`{"event":"ping"}`))
	if err != nil {
		return c.NoContent(http.StatusBadGateway)
	}
	resp.Body.Close()
	return c.NoContent(http.StatusNoContent)
}
