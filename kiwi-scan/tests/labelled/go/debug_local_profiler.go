package main

import (
	"log"
	"net/http"
	"net/http/pprof"
	"time"

	"example.com/shop/internal/store"
)

func main() {
	private := http.NewServeMux()
	private.HandleFunc("/debug/pprof/", pprof.Index)
	private.HandleFunc("/debug/pprof/profile", pprof.Profile)
	go func() {
		srv := http.Server{Addr: "127.0.0.1:6060", Handler: private, ReadHeaderTimeout: time.Second}
		log.Println(srv.ListenAndServe())
	}()

	public := http.NewServeMux()
	public.HandleFunc("/threads", store.ServeThreads)
	srv := http.Server{Addr: ":8080", Handler: public, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(srv.ListenAndServe())
}
