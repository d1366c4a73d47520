package calendar

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/lestrrat-go/libxml2/parser"
)

func Import(c *gin.Context) {
	p := parser.New(parser.XMLParseNoNet, parser.XMLParseNoBlanks)
	doc, err := p.ParseReader(io.LimitReader(c.Request.Body, 1<<20))
	if err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": "document not understood"})
		return
	}
	defer doc.Free()
	root, err := doc.DocumentElement()
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	c.JSON(http.StatusOK, gin.H{"root": root.NodeName()})
}
