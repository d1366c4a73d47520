package account

import (
	"math/rand"
	"net/http"

	"example.com/shop/internal/mail"
	"example.com/shop/internal/store"
)

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

func resetToken(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rand.Intn(len(alphabet))]
	}
	return string(b)
}

func ForgotPassword(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	token := resetToken(32)
	if store.SaveReset(r.Context(), email, token) == nil {
		mail.SendReset(email, "https://shop.example.com/reset/"+token)
	}
	w.WriteHeader(http.StatusAccepted)
}
