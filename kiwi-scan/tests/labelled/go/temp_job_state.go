package nightly

import (
	"encoding/json"
	"os"
)

const stateFile = "/tmp/nightly_job_state.json"

type State struct {
	LastID int64 `json:"last_id"`
}

func Save(s State) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(stateFile, data, 0o600)
}
