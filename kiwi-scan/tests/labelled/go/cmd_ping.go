package tools

import (
	"encoding/json"
	"net/http"
	"os/exec"
)

func Ping(w http.ResponseWriter, r *http.Request) {
	host := r.URL.Query().Get("host")
	if host == "" {
		host = "localhost"
	}
	cmd := exec.CommandContext(r.Context(), "sh", "-c", "ping -c 1 -W 2 "+host)
	err := cmd.Run()
	json.NewEncoder(w).Encode(map[string]bool{"reachable": err == nil})
}
