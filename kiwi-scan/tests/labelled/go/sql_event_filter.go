package events

import (
	"database/sql"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

func Count(db *sql.DB) echo.HandlerFunc {
	return func(c echo.Context) error {
		var sb strings.Builder
		var args []interface{}
		sb.WriteString("SELECT COUNT(*) FROM events WHERE 1=1")
		for _, key := range []string{"actor", "kind"} {
			if v := c.FormValue(key); v != "" {
				sb.WriteString(" AND " + key + " = ?")
				args = append(args, v)
			}
		}

		var n int
		if err := db.QueryRow(sb.String(), args...).Scan(&n); err != nil {
			return echo.NewHTTPError(http.StatusInternalServerError)
		}
		return c.JSON(http.StatusOK, map[string]int{"count": n})
	}
}
