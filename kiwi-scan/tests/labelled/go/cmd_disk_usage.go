package media

import (
	"net/http"
	"os/exec"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

const report = "/bin/df -h --output=target,pcent | /usr/bin/tail -n +2"

func DiskUsage(c *gin.Context) {
	limit, err := strconv.Atoi(c.DefaultQuery("limit", "10"))
	if err != nil || limit < 0 {
		c.Status(http.StatusBadRequest)
		return
	}
	out, err := exec.Command("/bin/sh", "-c", report).Output()
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	lines := strings.Split(string(out), "\n")
	if len(lines) > limit {
		lines = lines[:limit]
	}
	c.JSON(http.StatusOK, gin.H{"mounts": lines})
}
