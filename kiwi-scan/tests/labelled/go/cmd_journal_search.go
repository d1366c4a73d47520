package logs

import (
	"net/http"
	"os/exec"
	"strings"

	"github.com/labstack/echo/v4"
)

const journalFile = "/var/log/app/journal.log"

func SearchJournal(c echo.Context) error {
	pattern := c.QueryParam("pattern")
	if len(pattern) > 100 {
		return c.NoContent(http.StatusBadRequest)
	}
	out, err := exec.Command("/bin/grep", "-n", "-F", "-e", pattern, "--", journalFile).Output()
	if err != nil {
		return c.NoContent(http.StatusNotFound)
	}
	lines := strings.Split(string(out), "\n")
	return c.JSON(http.StatusOK, map[string]any{"lines": lines})
}
