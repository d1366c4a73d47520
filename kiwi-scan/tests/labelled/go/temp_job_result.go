package nightly

import (
	"encoding/json"
	"os"
	"path/filepath"
)

const resultFile = "/var/lib/nightly/result.json"

type Result struct {
	Rows int64 `json:"rows"`
}

func SaveResult(res Result) error {
	f, err := os.CreateTemp(filepath.Dir(resultFile), "result-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := json.NewEncoder(f).Encode(res); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), resultFile)
}
