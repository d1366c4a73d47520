package catalog

import (
	"encoding/json"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"
)

var sortColumns = map[string]string{
	"name":  "p.name",
	"price": "p.unit_price",
	"new":   "p.created_at DESC",
}

func Routes(db *sqlx.DB) http.Handler {
	r := chi.NewRouter()
	r.Get("/catalog/{category}", func(w http.ResponseWriter, req *http.Request) {
		order, ok := sortColumns[req.URL.Query().Get("sort")]
		if !ok {
			order = "p.name"
		}
		stmt := "SELECT p.name FROM products p WHERE p.category = $1 ORDER BY " + order
		var names []string
		if err := db.Select(&names, stmt, chi.URLParam(req, "category")); err != nil {
			http.Error(w, "query failed", http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(names)
	})
	return r
}
