package layouts

import (
	"net/http"

	"github.com/flosch/pongo2/v6"
	"github.com/gin-gonic/gin"
)

type layoutForm struct {
	Layout string `json:"layout"`
}

func Try(c *gin.Context) {
	var form layoutForm
	if err := c.ShouldBindJSON(&form); err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	tpl, err := pongo2.FromString(form.Layout)
	if err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": "layout not understood"})
		return
	}
	out, err := tpl.Execute(pongo2.Context{"number": 4711, "request": c.Request})
	c.JSON(http.StatusOK, gin.H{"text": out, "ok": err == nil})
}
