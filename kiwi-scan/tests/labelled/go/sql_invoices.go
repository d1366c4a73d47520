package invoices

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func List(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var marks []string
		var args []any
		for i, state := range r.URL.Query()["state"] {
			marks = append(marks, fmt.Sprintf("$%d", i+1))
			args = append(args, state)
		}
		if len(marks) == 0 {
			http.Error(w, "state missing", http.StatusBadRequest)
			return
		}
		query := fmt.Sprintf("SELECT COUNT(*) FROM invoices WHERE state IN (%s)", strings.Join(marks, ","))
		var n int
		if err := db.QueryRowContext(r.Context(), query, args...).Scan(&n); err != nil {
			http.Error(w, "query failed", http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(map[string]int{"count": n})
	}
}
