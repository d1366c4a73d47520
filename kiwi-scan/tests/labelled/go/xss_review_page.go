package reviews

import (
	"net/http"

	tmpl "html/template"
)

var page = tmpl.Must(tmpl.New("page").Parse(
	`<html><body><h1>{{.Title}}</h1><blockquote>{{.Body}}</blockquote></body></html>`))

func Preview(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form expected", http.StatusBadRequest)
		return
	}
	data := map[string]string{
		"Title": r.PostForm.Get("title"),
		"Body":  r.PostForm.Get("body"),
	}
	w.Header().Set("Content-Type", "text/html")
	if err := page.Execute(w, data); err != nil {
		http.Error(w, "render failed", http.StatusInternalServerError)
	}
}
