package keys

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

var gen = rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))

type Store interface {
	SaveAPIKey(userID int64, key string) error
}

func newAPIKey() string {
	buf := make([]byte, 32)
	for i := 0; i < len(buf); i += 8 {
		binary.LittleEndian.PutUint64(buf[i:], gen.Uint64())
	}
	return "pk_" + hex.EncodeToString(buf)
}

func Issue(s Store, userID int64) (string, error) {
	key := newAPIKey()
	return key, s.SaveAPIKey(userID, key)
}
