package forms

import (
	"errors"
	"net/http"
)

const (
	passwordField    = "password"
	passwordResetURL = "/account/password/reset"
	tokenHeader      = "X-Request-Token"
	secretPath       = "projects/example/secrets/mailer"
)

var errPassword = errors.New("the two passwords differ")

func ResetURL() string { return passwordResetURL }

func SecretPath() string { return secretPath }

func Validate(r *http.Request) error {
	if r.Header.Get(tokenHeader) == "" {
		return errors.New("token header missing")
	}
	if r.PostFormValue(passwordField) != r.PostFormValue("repeat") {
		return errPassword
	}
	return nil
}
