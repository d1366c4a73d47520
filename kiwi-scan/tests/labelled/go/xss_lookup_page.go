package lookup

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

func Results(c echo.Context) error {
	term := strings.TrimSpace(c.QueryParam("q"))
	var sb strings.Builder
	sb.WriteString("<html><body>")
	sb.WriteString("<p>Nothing for <b>" + template.HTMLEscapeString(term) + "</b>")
	sb.WriteString(" (" + strconv.Itoa(len(term)) + " characters)</p>")
	sb.WriteString("</body></html>")
	return c.HTML(http.StatusOK, sb.String())
}
