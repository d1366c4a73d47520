package stock

import (
	"encoding/json"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"
)

type Item struct {
	SKU string `db:"sku"`
	Qty int    `db:"qty"`
}

func Routes(db *sqlx.DB) http.Handler {
	r := chi.NewRouter()
	r.Get("/stock/{warehouse}", func(w http.ResponseWriter, req *http.Request) {
		order := req.URL.Query().Get("sort")
		if order == "" {
			order = "sku"
		}
		stmt := "SELECT sku, qty FROM stock WHERE warehouse = $1 ORDER BY " + order
		var items []Item
		if err := db.Select(&items, stmt, chi.URLParam(req, "warehouse")); err != nil {
			http.Error(w, "query failed", http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(items)
	})
	return r
}
