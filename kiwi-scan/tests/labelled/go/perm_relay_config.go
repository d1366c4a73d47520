package relay

import (
	"encoding/json"
	"os"
	"path/filepath"
)

const configFile = "/etc/relay/relay.json"

type Config struct {
	Upstream string `json:"upstream"`
	Retries  int    `json:"retries"`
}

func (c Config) Save() error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(configFile), 0o700); err != nil {
		return err
	}
	return os.WriteFile(configFile, data, 0o600)
}
