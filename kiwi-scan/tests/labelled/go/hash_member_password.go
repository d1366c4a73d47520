package members

import (
	"database/sql"
	"net/http"

	"golang.org/x/crypto/bcrypt"
)

func Create(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		email := r.PostFormValue("email")
		hash, err := bcrypt.GenerateFromPassword([]byte(r.PostFormValue("password")), 12)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, err = db.ExecContext(r.Context(),
			"INSERT INTO members (email, password_hash) VALUES ($1, $2)", email, hash)
		if err != nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusCreated)
	}
}
