package invoices

import (
	"net/http"
	"path/filepath"
)

const invoiceDir = "/srv/invoices"

func Download(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("file")
	if name == "" {
		http.NotFound(w, r)
		return
	}
	full := filepath.Join(invoiceDir, name)
	w.Header().Set("Content-Disposition", "attachment")
	http.ServeFile(w, r, full)
}
