package shop

import (
	"net/http"

	"example.com/shop/internal/cart"
)

func Checkout(w http.ResponseWriter, r *http.Request) {
	sid, err := cart.Open(r.Context())
	if err != nil {
		http.Error(w, "checkout failed", http.StatusInternalServerError)
		return
	}
	cookie := http.Cookie{
		Name:     "checkout",
		Value:    sid,
		Path:     "/",
		MaxAge:   3600,
		SameSite: http.SameSiteLaxMode,
	}
	cookie.Secure = true
	cookie.HttpOnly = true
	http.SetCookie(w, &cookie)
	w.WriteHeader(http.StatusNoContent)
}
