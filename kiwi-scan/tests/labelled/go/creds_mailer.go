package mailer

import (
	"net/smtp"
	"os"
	"strings"
)

const passwordFile = "/run/secrets/smtp_password"

func auth(host string) (smtp.Auth, error) {
	raw, err := os.ReadFile(passwordFile)
	if err != nil {
		return nil, err
	}
	password := strings.TrimSpace(string(raw))
	return smtp.PlainAuth("", "mailer@example.com", password, host), nil
}

func Send(to string, message []byte) error {
	a, err := auth("smtp.example.com")
	if err != nil {
		return err
	}
	return smtp.SendMail("smtp.example.com:587", a, "mailer@example.com", []string{to}, message)
}
