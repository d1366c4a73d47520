package receipts

import (
	"net/http"
	"path/filepath"
)

const receiptDir = "/srv/receipts"

func Download(w http.ResponseWriter, r *http.Request) {
	name := filepath.Base(r.URL.Query().Get("file"))
	if filepath.Ext(name) != ".pdf" {
		http.NotFound(w, r)
		return
	}
	full := filepath.Join(receiptDir, name)
	w.Header().Set("Content-Disposition", "attachment")
	http.ServeFile(w, r, full)
}
