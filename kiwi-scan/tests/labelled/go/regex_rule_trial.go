package rules

import (
	"encoding/json"
	"net/http"

	re "github.com/dlclark/regexp2"
)

type trial struct {
	Pattern string `json:"pattern"`
	Text    string `json:"text"`
}

func Try(w http.ResponseWriter, r *http.Request) {
	var t trial
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&t); err != nil {
		http.Error(w, "invalid body", http.StatusBadRequest)
		return
	}
	compiled, err := re.Compile(t.Pattern, re.IgnoreCase)
	if err != nil {
		http.Error(w, "pattern not understood", http.StatusBadRequest)
		return
	}
	hit, _ := compiled.MatchString(t.Text)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]bool{"match": hit})
}
