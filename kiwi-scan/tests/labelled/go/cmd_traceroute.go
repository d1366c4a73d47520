package tools

import (
	"encoding/json"
	"net"
	"net/http"
	"os/exec"
)

func Traceroute(w http.ResponseWriter, r *http.Request) {
	ip := net.ParseIP(r.URL.Query().Get("host"))
	if ip == nil {
		http.Error(w, "address expected", http.StatusBadRequest)
		return
	}
	cmd := exec.CommandContext(r.Context(), "/usr/bin/traceroute", "-m", "8", ip.String())
	err := cmd.Run()
	json.NewEncoder(w).Encode(map[string]bool{"reachable": err == nil})
}
