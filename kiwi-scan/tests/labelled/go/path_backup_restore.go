package backup

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path"
)

const limit = 50 << 20

func Restore(r io.Reader, dir string) error {
	tr := tar.NewReader(r)
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if hdr.Typeflag != tar.TypeReg {
			continue
		}
		out, err := os.Create(path.Join(dir, hdr.Name))
		if err != nil {
			return err
		}
		_, err = io.CopyN(out, tr, min(hdr.Size, limit))
		out.Close()
		if err != nil {
			return err
		}
	}
}
