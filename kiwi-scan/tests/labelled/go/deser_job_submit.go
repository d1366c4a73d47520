package jobs

import (
	"encoding/gob"
	"net/http"
	"os"
)

type Job interface {
	Run() error
}

type Reindex struct{ Table string }

func (Reindex) Run() error { return nil }

type Purge struct{ Dir string }

func (p Purge) Run() error { return os.RemoveAll(p.Dir) }

func init() {
	gob.Register(Reindex{})
	gob.Register(Purge{})
}

func Submit(w http.ResponseWriter, r *http.Request) {
	var job Job
	if err := gob.NewDecoder(r.Body).Decode(&job); err != nil {
		http.Error(w, "invalid job", http.StatusBadRequest)
		return
	}
	if err := job.Run(); err != nil {
		http.Error(w, "job failed", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
