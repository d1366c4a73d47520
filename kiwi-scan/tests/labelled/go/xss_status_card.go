package web

import (
	"html/template"
	"net/http"
)

var status = template.Must(template.New("status").Parse(
	`<div class="card"><h2>{{.Nick}}</h2>{{.Icon}}</div>`))

type statusCard struct {
	Nick string
	Icon template.HTML
}

func Status(w http.ResponseWriter, r *http.Request) {
	icon := template.HTML(`<i class="dot grey"></i>`)
	if r.FormValue("state") == "online" {
		icon = template.HTML(`<i class="dot green"></i>`)
	}
	data := statusCard{Nick: r.FormValue("nick"), Icon: icon}
	if err := status.Execute(w, data); err != nil {
		http.Error(w, "render failed", http.StatusInternalServerError)
	}
}
