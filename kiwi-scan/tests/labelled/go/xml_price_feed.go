package feed

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
)

type prices struct {
	XMLName xml.Name `xml:"prices"`
	Items   []struct {
		SKU   string `xml:"sku,attr"`
		Price string `xml:"price"`
	} `xml:"item"`
}

func ReceivePrices(w http.ResponseWriter, r *http.Request) {
	var p prices
	dec := xml.NewDecoder(io.LimitReader(r.Body, 1<<20))
	if err := dec.Decode(&p); err != nil {
		http.Error(w, "document not understood", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]int{"items": len(p.Items)})
}
