package pages

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strconv"
)

func deleteRevision(ctx context.Context, db *sql.DB, revision int) error {
	stmt := fmt.Sprintf("DELETE FROM revisions WHERE id = %d", revision)
	_, err := db.ExecContext(ctx, stmt)
	return err
}

func DeleteRevision(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		revision, err := strconv.Atoi(r.PostFormValue("revision"))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := deleteRevision(r.Context(), db, revision); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
