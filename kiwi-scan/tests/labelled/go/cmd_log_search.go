package logs

import (
	"net/http"
	"os/exec"
	"strings"

	"github.com/labstack/echo/v4"
)

const logFile = "/var/log/app/current.log"

func shell(command string) ([]byte, error) {
	return exec.Command("/bin/sh", "-c", command).Output()
}

func Search(c echo.Context) error {
	pattern := c.QueryParam("pattern")
	out, err := shell("grep -n '" + pattern + "' " + logFile + " | tail -n 100")
	if err != nil {
		return c.NoContent(http.StatusNotFound)
	}
	lines := strings.Split(string(out), "\n")
	return c.JSON(http.StatusOK, map[string]any{"lines": lines})
}
