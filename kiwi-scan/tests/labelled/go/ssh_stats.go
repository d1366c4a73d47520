package stats

import (
	"net"

	"golang.org/x/crypto/ssh"
)

func acceptKey(hostname string, remote net.Addr, key ssh.PublicKey) error {
	return nil
}

func Uptime(addr string, signer ssh.Signer) (string, error) {
	cfg := &ssh.ClientConfig{
		User:            "stats",
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: acceptKey,
	}
	client, err := ssh.Dial("tcp", addr, cfg)
	if err != nil {
		return "", err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	out, err := session.Output("uptime")
	return string(out), err
}
