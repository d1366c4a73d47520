package runner

import (
	"encoding/json"
	"net/http"
	"os/exec"
)

var actions = map[string][]string{
	"reload": {"/usr/sbin/nginx", "-s", "reload"},
	"test":   {"/usr/sbin/nginx", "-t"},
}

type action struct {
	Name string `json:"name"`
}

func Do(w http.ResponseWriter, r *http.Request) {
	var a action
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		http.Error(w, "invalid body", http.StatusBadRequest)
		return
	}
	argv, ok := actions[a.Name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	err := exec.Command(argv[0], argv[1:]...).Run()
	json.NewEncoder(w).Encode(map[string]bool{"ok": err == nil})
}
