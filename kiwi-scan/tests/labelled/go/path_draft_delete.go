package drafts

import (
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/labstack/echo/v4"
)

const draftDir = "/srv/drafts"

func Delete(c echo.Context) error {
	id, err := strconv.ParseUint(c.FormValue("id"), 10, 32)
	if err != nil {
		return c.NoContent(http.StatusBadRequest)
	}
	location := fmt.Sprintf("%s/draft-%06d.json", draftDir, id)
	if err := os.Remove(location); err != nil {
		return c.NoContent(http.StatusNotFound)
	}
	return c.NoContent(http.StatusNoContent)
}
