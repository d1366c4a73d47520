package packages

import (
	"encoding/json"
	"net/http"
	"net/url"
)

const registry = "https://registry.example.com/api/v1/packages?name="

func Info(w http.ResponseWriter, r *http.Request) {
	name := url.QueryEscape(r.URL.Query().Get("name"))
	resp, err := http.Get(registry + name)
	if err != nil {
		http.Error(w, "fetch failed", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]bool{"found": resp.StatusCode == http.StatusOK})
}
