package partner

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"time"
)

func newClient() *http.Client {
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func CreateOrder(body io.Reader) (int, error) {
	req, err := http.NewRequest(http.MethodPost, "https://api.partner.example.com/v2/orders", body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("PARTNER_TOKEN"))
	resp, err := newClient().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}
