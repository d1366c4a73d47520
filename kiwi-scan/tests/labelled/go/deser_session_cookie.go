package session

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"net/http"
)

type State struct {
	UserID int64
	Role   string
}

func load(r *http.Request) (*State, error) {
	c, err := r.Cookie("state")
	if err != nil {
		return nil, err
	}
	raw, err := base64.URLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil, err
	}
	var s State
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(&s); err != nil {
		return nil, err
	}
	return &s, nil
}

func AdminOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := load(r)
		if err != nil || s.Role != "admin" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
