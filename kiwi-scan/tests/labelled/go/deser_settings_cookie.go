package settings

import (
	"encoding/hex"
	"net/http"
	"os"

	"github.com/gorilla/securecookie"
)

type Settings struct {
	UserID int64
	Theme  string
}

func newCodec() (*securecookie.SecureCookie, error) {
	hashKey, err := hex.DecodeString(os.Getenv("COOKIE_HASH_KEY"))
	if err != nil {
		return nil, err
	}
	blockKey, err := hex.DecodeString(os.Getenv("COOKIE_BLOCK_KEY"))
	if err != nil {
		return nil, err
	}
	return securecookie.New(hashKey, blockKey), nil
}

func Load(sc *securecookie.SecureCookie, r *http.Request) (*Settings, error) {
	c, err := r.Cookie("settings")
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := sc.Decode("settings", c.Value, &s); err != nil {
		return nil, err
	}
	return &s, nil
}
