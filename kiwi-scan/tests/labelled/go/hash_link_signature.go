package links

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"os"
	"time"
)

var key = []byte(os.Getenv("LINK_KEY"))

func sign(path string, expires int64) string {
	h := sha1.New()
	h.Write(key)
	fmt.Fprintf(h, "%s|%d", path, expires)
	return hex.EncodeToString(h.Sum(nil))
}

func Check(path string, expires int64, signature string) bool {
	want := sign(path, expires)
	same := subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1
	return same && time.Now().Unix() < expires
}
