package directory

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
)

type Dialer struct {
	Host string
	Port int
}

func (d Dialer) Dial() (net.Conn, error) {
	cfg := &tls.Config{ServerName: d.Host, MinVersion: tls.VersionTLS12}
	if os.Getenv("DIRECTORY_STRICT") == "" {
		cfg.InsecureSkipVerify = true
	}
	conn, err := tls.Dial("tcp", fmt.Sprintf("%s:%d", d.Host, d.Port), cfg)
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return conn, nil
}
