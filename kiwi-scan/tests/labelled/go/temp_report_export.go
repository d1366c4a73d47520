package reports

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
)

func Export(rows [][]string) (string, error) {
	name := filepath.Join(os.TempDir(), fmt.Sprintf("report-%d.csv", os.Getpid()))
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer f.Close()

	w := csv.NewWriter(f)
	if err := w.WriteAll(rows); err != nil {
		return "", err
	}
	return name, nil
}
