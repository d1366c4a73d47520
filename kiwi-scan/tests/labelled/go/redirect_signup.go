package account

import (
	"net/http"

	"example.com/shop/internal/auth"
)

var afterSignup = map[string]string{"plans": "/billing/plans", "tour": "/tour"}

func Signup(w http.ResponseWriter, r *http.Request) {
	user, err := auth.Create(r.PostFormValue("email"), r.PostFormValue("password"))
	if err != nil {
		http.Error(w, "signup failed", http.StatusBadRequest)
		return
	}
	auth.StartSession(w, user)
	next, ok := afterSignup[r.URL.Query().Get("next")]
	if !ok {
		next = "/dashboard"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}
