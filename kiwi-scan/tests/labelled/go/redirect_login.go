package account

import (
	"net/http"

	"example.com/shop/internal/auth"
)

func Login(w http.ResponseWriter, r *http.Request) {
	user, err := auth.Check(r.PostFormValue("email"), r.PostFormValue("password"))
	if err != nil {
		http.Error(w, "login failed", http.StatusUnauthorized)
		return
	}
	auth.StartSession(w, user)
	next := r.URL.Query().Get("next")
	if next == "" {
		next = "/dashboard"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}
