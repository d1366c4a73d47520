package themes

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
)

const maxEntry = 5 << 20

func Unpack(archive, dest string) error {
	zr, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer zr.Close()

	for _, f := range zr.File {
		if f.FileInfo().IsDir() {
			continue
		}
		target := filepath.Join(dest, f.Name)
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		src, err := f.Open()
		if err != nil {
			return err
		}
		dst, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
		if err == nil {
			_, err = io.Copy(dst, io.LimitReader(src, maxEntry))
			dst.Close()
		}
		src.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
