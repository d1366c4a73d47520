package account

import (
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"net/http"
)

func Signup(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		email := r.PostFormValue("email")
		sum := md5.Sum([]byte(r.PostFormValue("password")))
		_, err := db.ExecContext(r.Context(),
			"INSERT INTO users (email, password_hash) VALUES ($1, $2)",
			email, hex.EncodeToString(sum[:]))
		if err != nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusCreated)
	}
}
