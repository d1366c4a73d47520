package feed

import (
	"encoding/json"
	"net/http"

	"github.com/lestrrat-go/libxml2/parser"
)

func Receive(w http.ResponseWriter, r *http.Request) {
	p := parser.New(parser.XMLParseNoEnt, parser.XMLParseDTDLoad)
	doc, err := p.ParseReader(r.Body)
	if err != nil {
		http.Error(w, "document not understood", http.StatusBadRequest)
		return
	}
	defer doc.Free()
	root, err := doc.DocumentElement()
	if err != nil {
		http.Error(w, "document empty", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"note": root.TextContent()})
}
