package edge

import (
	"crypto/tls"
	"net"
)

var suites = []uint16{
	tls.TLS_RSA_WITH_RC4_128_SHA,
	tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
}

func Listen(addr string, cert tls.Certificate) (net.Listener, error) {
	cfg := &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		CipherSuites: suites,
	}
	return tls.Listen("tcp", addr, cfg)
}
