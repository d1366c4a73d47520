package mirror

import (
	"errors"
	"math/rand"
	"net/http"
	"time"
)

var mirrors = []string{
	"https://mirror-a.example.com/index.json",
	"https://mirror-b.example.com/index.json",
}

func Fetch(attempts int) (*http.Response, error) {
	client := &http.Client{Timeout: 5 * time.Second}
	for i := 0; i < attempts; i++ {
		url := mirrors[rand.Intn(len(mirrors))]
		resp, err := client.Get(url)
		if err == nil {
			return resp, nil
		}
		jitter := time.Duration(rand.Int63n(int64(time.Second)))
		time.Sleep(time.Duration(1<<i)*time.Second + jitter)
	}
	return nil, errors.New("index not reachable")
}
