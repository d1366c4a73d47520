package documents

import (
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"
)

const documentDir = "/srv/documents/"

func Delete(c echo.Context) error {
	name := strings.TrimPrefix(c.FormValue("name"), "../")
	if !strings.HasSuffix(name, ".pdf") {
		return c.NoContent(http.StatusBadRequest)
	}
	location := documentDir + name
	if err := os.Remove(location); err != nil {
		return c.NoContent(http.StatusNotFound)
	}
	return c.NoContent(http.StatusNoContent)
}
