package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

var client = &http.Client{Timeout: 3 * time.Second}

func Node(c *gin.Context) {
	node := c.DefaultQuery("node", "node-1.internal")
	url := fmt.Sprintf("http://%s/healthz", node)
	ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		c.JSON(http.StatusOK, gin.H{"up": false})
		return
	}
	resp.Body.Close()
	c.JSON(http.StatusOK, gin.H{"up": resp.StatusCode == http.StatusOK})
}
