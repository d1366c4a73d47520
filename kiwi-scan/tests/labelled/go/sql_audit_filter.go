package audit

import (
	"database/sql"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

func Count(db *sql.DB) echo.HandlerFunc {
	return func(c echo.Context) error {
		var sb strings.Builder
		sb.WriteString("SELECT COUNT(*) FROM audit WHERE 1=1")
		for _, key := range []string{"actor", "action"} {
			if v := c.FormValue(key); v != "" {
				sb.WriteString(" AND " + key + " = '" + v + "'")
			}
		}

		var n int
		if err := db.QueryRow(sb.String()).Scan(&n); err != nil {
			return echo.NewHTTPError(http.StatusInternalServerError)
		}
		return c.JSON(http.StatusOK, map[string]int{"count": n})
	}
}
