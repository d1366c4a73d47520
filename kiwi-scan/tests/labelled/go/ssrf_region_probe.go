package probe

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

var regions = map[string]string{
	"eu": "https://eu.status.example.com/healthz",
	"us": "https://us.status.example.com/healthz",
}

var regionClient = &http.Client{Timeout: 3 * time.Second}

func Region(c *gin.Context) {
	url, ok := regions[c.DefaultQuery("region", "eu")]
	if !ok {
		c.Status(http.StatusNotFound)
		return
	}
	req, err := http.NewRequestWithContext(c.Request.Context(), http.MethodGet, url, nil)
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	resp, err := regionClient.Do(req)
	if err != nil {
		c.JSON(http.StatusOK, gin.H{"up": false})
		return
	}
	resp.Body.Close()
	c.JSON(http.StatusOK, gin.H{"up": resp.StatusCode == http.StatusOK})
}
