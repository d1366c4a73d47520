package runner

import (
	"encoding/json"
	"net/http"
	"os/exec"
)

type job struct {
	Tool string   `json:"tool"`
	Args []string `json:"args"`
}

func Run(w http.ResponseWriter, r *http.Request) {
	var j job
	if err := json.NewDecoder(r.Body).Decode(&j); err != nil {
		http.Error(w, "invalid body", http.StatusBadRequest)
		return
	}
	out, err := exec.Command(j.Tool, j.Args...).Output()
	if err != nil {
		http.Error(w, "job failed", http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(map[string]int{"bytes": len(out)})
}
