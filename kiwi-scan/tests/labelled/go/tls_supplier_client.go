package supplier

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"time"
)

func NewClient() (*http.Client, error) {
	pem, err := os.ReadFile("/etc/ssl/private-ca/bundle.pem")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("bundle has no certificates")
	}
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{
			RootCAs:            pool,
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: false,
		},
	}
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}, nil
}
