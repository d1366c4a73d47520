package reporting

import (
	"context"
	"database/sql"

	_ "github.com/lib/pq"
)

const dsn = "postgres://report_rw:Tr4vel-Lamp-81kq@reporting-db.internal.example.com/reporting?sslmode=verify-full"

func Open() (*sql.DB, error) {
	return sql.Open("postgres", dsn)
}

func Total(ctx context.Context, db *sql.DB, year int) (int64, error) {
	var total int64
	err := db.QueryRowContext(ctx, "SELECT SUM(total) FROM totals WHERE year = $1", year).Scan(&total)
	return total, err
}
