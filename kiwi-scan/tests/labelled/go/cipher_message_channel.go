package channel

import (
	"crypto/rand"
	"encoding/base64"

	"golang.org/x/crypto/chacha20poly1305"
)

func seal(key []byte, message string) (string, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	out := aead.Seal(nonce, nonce, []byte(message), nil)
	return base64.StdEncoding.EncodeToString(out), nil
}

func SendSealed(key []byte, write func(string) error, message string) error {
	line, err := seal(key, message)
	if err != nil {
		return err
	}
	return write(line)
}
