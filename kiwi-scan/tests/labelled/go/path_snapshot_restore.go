package snapshot

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const limit = 50 << 20

func Restore(tr *tar.Reader, dir string) error {
	base := filepath.Clean(dir) + string(os.PathSeparator)
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		target := filepath.Join(base, hdr.Name)
		if !strings.HasPrefix(target, base) || hdr.Typeflag != tar.TypeReg || hdr.Size > limit {
			return errors.New("entry not accepted")
		}
		out, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.CopyN(out, tr, hdr.Size)
		out.Close()
		if err != nil {
			return err
		}
	}
}
