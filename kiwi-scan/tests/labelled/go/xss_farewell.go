package web

import (
	"fmt"
	"html"
	"net/http"
)

func Bye(w http.ResponseWriter, r *http.Request) {
	name := html.EscapeString(r.URL.Query().Get("name"))
	if name == "" {
		name = "guest"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><h1>See you soon, %s!</h1>", name)
}
