package mailings

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"text/template"
)

type Context struct {
	FirstName string
}

func (c Context) Setting(name string) string {
	return os.Getenv(name)
}

func Preview(w http.ResponseWriter, r *http.Request) {
	source := r.PostFormValue("template")
	t, err := template.New("mail").Parse(source)
	if err != nil {
		http.Error(w, "template not understood", http.StatusBadRequest)
		return
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, Context{FirstName: "Sam"}); err != nil {
		http.Error(w, "render failed", http.StatusBadRequest)
		return
	}
	json.NewEncoder(w).Encode(map[string]string{"preview": buf.String()})
}
