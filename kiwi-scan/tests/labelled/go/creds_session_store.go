package web

import (
	"net/http"

	"github.com/gorilla/sessions"
)

var store = sessions.NewCookieStore([]byte("f7Kq29xLmWz0bnPtR4vYc8HsJd3Gu6Xe"))

func init() {
	store.Options.HttpOnly = true
	store.Options.Secure = true
	store.Options.SameSite = http.SameSiteLaxMode
}

func CurrentUser(r *http.Request) (int64, bool) {
	sess, err := store.Get(r, "shop")
	if err != nil {
		return 0, false
	}
	id, ok := sess.Values["user_id"].(int64)
	return id, ok
}
