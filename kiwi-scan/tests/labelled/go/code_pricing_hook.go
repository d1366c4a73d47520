package hooks

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/robertkrimen/otto"
)

const pricing = `Math.round(amount * 1.081 * 20) / 20`

func Price(w http.ResponseWriter, r *http.Request) {
	amount, err := strconv.ParseFloat(r.URL.Query().Get("amount"), 64)
	if err != nil {
		http.Error(w, "amount expected", http.StatusBadRequest)
		return
	}
	vm := otto.New()
	vm.Set("amount", amount)
	value, err := vm.Run(pricing)
	if err != nil {
		http.Error(w, "calculation failed", http.StatusInternalServerError)
		return
	}
	gross, _ := value.ToFloat()
	json.NewEncoder(w).Encode(map[string]float64{"gross": gross})
}
