package media

import (
	"fmt"
	"net/http"
	"os/exec"

	"github.com/gin-gonic/gin"
)

const convert = "/usr/bin/convert"

func Thumbnail(c *gin.Context) {
	size := c.PostForm("size")
	rotate := c.DefaultPostForm("rotate", "0")
	script := fmt.Sprintf("%s /srv/media/in.png -resize %s -rotate %s /srv/media/out.png",
		convert, size, rotate)

	shell := "/bin/bash"
	args := []string{"-c", script}
	if err := exec.Command(shell, args...).Run(); err != nil {
		c.JSON(http.StatusInternalServerError, gin.H{"error": "conversion failed"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"ok": true})
}
