package formulas

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
)

func Evaluate(c *gin.Context) {
	i := interp.New(interp.Options{})
	if err := i.Use(stdlib.Symbols); err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	formula := c.Query("formula")
	v, err := i.Eval("float64(" + formula + ")")
	if err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": "formula not understood"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"value": v.Float()})
}
