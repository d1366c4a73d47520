package web

import (
	"net/http"
	"os"

	"github.com/gorilla/sessions"
)

func NewAdminStore() *sessions.CookieStore {
	store := sessions.NewCookieStore([]byte(os.Getenv("ADMIN_SESSION_KEY")))
	store.Options = &sessions.Options{
		Path:     "/admin",
		MaxAge:   3600,
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	}
	return store
}
