package callbacks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
)

func Verify(next http.HandlerFunc) http.HandlerFunc {
	key := []byte(os.Getenv("CALLBACK_KEY"))
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		given, err := hex.DecodeString(r.Header.Get("X-Signature"))
		if err != nil || !hmac.Equal(mac.Sum(nil), given) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}
