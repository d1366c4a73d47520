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
	sid, err := auth.NewSession(r.Context(), user)
	if err != nil {
		http.Error(w, "login failed", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name:     "sid",
		Value:    sid,
		Path:     "/",
		MaxAge:   86400,
		SameSite: http.SameSiteLaxMode,
	})
	w.WriteHeader(http.StatusNoContent)
}
