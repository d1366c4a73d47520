package web

import (
	"net/http"
	"os"

	"github.com/gorilla/sessions"
)

func NewStore() *sessions.CookieStore {
	store := sessions.NewCookieStore([]byte(os.Getenv("SESSION_KEY")))
	store.Options = &sessions.Options{
		Path:     "/",
		MaxAge:   8 * 3600,
		Secure:   false,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	return store
}
