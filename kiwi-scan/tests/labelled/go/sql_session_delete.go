package session

import (
	"context"
	"database/sql"
	"net/http"
)

func deleteByDevice(ctx context.Context, db *sql.DB, device string) error {
	stmt := "DELETE FROM sessions WHERE device_id = '" + device + "'"
	_, err := db.ExecContext(ctx, stmt)
	return err
}

func LogoutDevice(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		device := r.Header.Get("X-Device-Id")
		if err := deleteByDevice(r.Context(), db, device); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
