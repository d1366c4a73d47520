package warehouse

import (
	"database/sql"
	"net/url"
	"os"

	_ "github.com/lib/pq"
)

func Open() (*sql.DB, error) {
	password := os.Getenv("WAREHOUSE_DB_PASSWORD")
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("warehouse_ro", password),
		Host:     "warehouse-db.internal.example.com",
		Path:     "/warehouse",
		RawQuery: "sslmode=verify-full",
	}
	return sql.Open("postgres", u.String())
}
