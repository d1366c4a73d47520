package keys

import (
	rnd "crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
)

type saver func(userID, key string) error

func SessionKey(save saver) echo.HandlerFunc {
	return func(c echo.Context) error {
		buf := make([]byte, 32)
		if _, err := rnd.Read(buf); err != nil {
			return fmt.Errorf("key generation: %w", err)
		}
		key := hex.EncodeToString(buf)
		userID, _ := c.Get("user_id").(string)
		if err := save(userID, key); err != nil {
			return err
		}
		return c.JSON(http.StatusCreated, map[string]string{"key": key})
	}
}
