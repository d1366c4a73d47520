package account

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestLoginAcceptsKnownUser(t *testing.T) {
	const password = "password123"
	users := NewMemoryStore()
	if err := users.Add("jo@example.com", password); err != nil {
		t.Fatal(err)
	}

	form := url.Values{"email": {"jo@example.com"}, "password": {password}}
	req := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	NewLoginHandler(users).ServeHTTP(rec, req)
	if rec.Code != http.StatusSeeOther {
		t.Fatalf("status = %d", rec.Code)
	}
}
