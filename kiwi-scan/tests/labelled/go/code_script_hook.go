package hooks

import (
	"encoding/json"
	"io"
	"net/http"
	"os"

	"github.com/robertkrimen/otto"
)

func Run(w http.ResponseWriter, r *http.Request) {
	source, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		http.Error(w, "read failed", http.StatusBadRequest)
		return
	}
	vm := otto.New()
	vm.Set("env", os.Getenv)
	value, err := vm.Run(string(source))
	if err != nil {
		http.Error(w, "script failed", http.StatusUnprocessableEntity)
		return
	}
	json.NewEncoder(w).Encode(map[string]string{"result": value.String()})
}
