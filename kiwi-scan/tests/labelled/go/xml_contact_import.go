package contacts

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/lestrrat-go/libxml2"
	xmlopt "github.com/lestrrat-go/libxml2/parser"
)

func Import(c *gin.Context) {
	header, err := c.FormFile("contacts")
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	f, err := header.Open()
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	defer f.Close()

	doc, err := libxml2.ParseReader(f, xmlopt.XMLParseNoEnt|xmlopt.XMLParseNoBlanks)
	if err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": "document not understood"})
		return
	}
	defer doc.Free()
	c.JSON(http.StatusOK, gin.H{"document": doc.String()})
}
