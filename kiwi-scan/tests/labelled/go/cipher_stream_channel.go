package channel

import (
	"crypto/rc4"
	"encoding/base64"
	"errors"
	"os"
)

func seal(key []byte, message string) (string, error) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return "", err
	}
	out := make([]byte, len(message))
	c.XORKeyStream(out, []byte(message))
	return base64.StdEncoding.EncodeToString(out), nil
}

func Send(write func(string) error, message string) error {
	key := []byte(os.Getenv("CHANNEL_KEY"))
	if len(key) < 16 {
		return errors.New("channel key missing")
	}
	line, err := seal(key, message)
	if err != nil {
		return err
	}
	return write(line)
}
