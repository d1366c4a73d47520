package invites

import (
	"crypto/rand"
	"math/big"
	"net/http"

	"example.com/shop/internal/mail"
	"example.com/shop/internal/store"
)

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

func inviteToken(n int) (string, error) {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", err
		}
		b[i] = letters[k.Int64()]
	}
	return string(b), nil
}

func Invite(w http.ResponseWriter, r *http.Request) {
	email := r.PostFormValue("email")
	token, err := inviteToken(32)
	if err != nil || store.SaveInvite(r.Context(), email, token) != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	mail.SendInvite(email, "https://shop.example.com/join/"+token)
	w.WriteHeader(http.StatusAccepted)
}
