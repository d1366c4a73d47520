package queue

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
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if name := os.Getenv("QUEUE_SERVER_NAME"); name != "" {
		cfg.ServerName = name
	}
	conn, err := tls.Dial("tcp", fmt.Sprintf("%s:%d", d.Host, d.Port), cfg)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return conn, nil
}
