package search

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

func Results(c echo.Context) error {
	term := strings.TrimSpace(c.QueryParam("q"))
	var sb strings.Builder
	sb.WriteString("<html><body>")
	sb.WriteString("<p>No results for <b>" + term + "</b></p>")
	sb.WriteString("</body></html>")
	return c.HTML(http.StatusOK, sb.String())
}
