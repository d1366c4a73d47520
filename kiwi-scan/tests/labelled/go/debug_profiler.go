package main

import (
	"encoding/json"
	"log"
	"net/http"
	_ "net/http/pprof"

	"example.com/shop/internal/store"
)

func posts(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(store.LatestPosts(r.Context(), 20))
}

func main() {
	http.HandleFunc("/posts", posts)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
