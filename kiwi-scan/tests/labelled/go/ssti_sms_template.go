package texting

import (
	"bytes"
	"encoding/json"
	"net/http"
	"text/template"
)

const source = "Hi {{.FirstName}}, your order {{.Order}} is on its way."

var sms = template.Must(template.New("sms").Parse(source))

func Preview(w http.ResponseWriter, r *http.Request) {
	data := struct{ FirstName, Order string }{
		FirstName: r.PostFormValue("first_name"),
		Order:     r.PostFormValue("order"),
	}
	var buf bytes.Buffer
	if err := sms.Execute(&buf, data); err != nil {
		http.Error(w, "render failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"preview": buf.String()})
}
