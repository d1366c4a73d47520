package install

import (
	"io"
	"os"
	"path/filepath"
)

const unitDir = "/usr/local/lib/deploy/units"

func Unit(name string, src io.Reader) error {
	target := filepath.Join(unitDir, filepath.Base(name))
	f, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, src); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Chmod(target, 0700)
}
