package layouts

import (
	"net/http"

	"github.com/flosch/pongo2/v6"
	"github.com/gin-gonic/gin"
)

var sources = map[string]string{
	"short": "Receipt {{ number }}",
	"long":  "Receipt {{ number }} for {{ customer }}, many thanks.",
}

func Receipt(c *gin.Context) {
	source, ok := sources[c.Query("layout")]
	if !ok {
		source = sources["short"]
	}
	tpl, err := pongo2.FromString(source)
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	out, err := tpl.Execute(pongo2.Context{"number": 4711, "customer": c.Query("customer")})
	c.JSON(http.StatusOK, gin.H{"text": out, "ok": err == nil})
}
