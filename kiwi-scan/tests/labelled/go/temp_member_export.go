package members

import (
	"encoding/csv"
	"os"
	"path/filepath"
)

func Export(rows [][]string, deliver func(string) error) error {
	dir, err := os.MkdirTemp("", "members-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	name := filepath.Join(dir, "members.csv")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := csv.NewWriter(f).WriteAll(rows); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return deliver(name)
}
