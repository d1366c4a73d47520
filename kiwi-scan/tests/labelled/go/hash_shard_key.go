package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"net/http"
)

const shards = 16

func shard(key string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(key))
	return h.Sum32() % shards
}

func Serve(lookup func(uint32, string) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := lookup(shard(r.URL.Path), r.URL.Path)
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(body)
	}
}
