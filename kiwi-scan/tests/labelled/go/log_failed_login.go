package account

import (
	"log"
	"net/http"

	"example.com/shop/internal/auth"
)

func Login(w http.ResponseWriter, r *http.Request) {
	username := r.PostFormValue("username")
	user, err := auth.Check(username, r.PostFormValue("password"))
	if err != nil {
		log.Printf("login failed for user %s", username)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	auth.StartSession(w, user)
	w.WriteHeader(http.StatusNoContent)
}
