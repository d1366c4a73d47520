package account

import (
	"log"
	"net/http"

	"example.com/shop/internal/auth"
)

func Pin(w http.ResponseWriter, r *http.Request) {
	username := r.PostFormValue("username")
	user, err := auth.CheckPin(username, r.PostFormValue("pin"))
	if err != nil {
		log.Printf("pin rejected for user %q", username)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	auth.StartSession(w, user)
	w.WriteHeader(http.StatusNoContent)
}
