package web

import (
	"html/template"
	"net/http"
)

var card = template.Must(template.New("card").Parse(
	`<div class="card"><h2>{{.Nick}}</h2><p>{{.About}}</p></div>`))

type profile struct {
	Nick  string
	About template.HTML
}

func Card(w http.ResponseWriter, r *http.Request) {
	about := r.FormValue("about")
	p := profile{
		Nick:  r.FormValue("nick"),
		About: template.HTML("<em>" + about + "</em>"),
	}
	if err := card.Execute(w, p); err != nil {
		http.Error(w, "render failed", http.StatusInternalServerError)
	}
}
