package preview

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
)

var title = regexp.MustCompile(`<title>([^<]{0,200})</title>`)

func Link(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get("url")
	resp, err := http.Get(target)
	if err != nil {
		http.Error(w, "fetch failed", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	found := ""
	if m := title.FindSubmatch(page); m != nil {
		found = string(m[1])
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"title": found})
}
