package checkpoint

import (
	"bytes"
	"encoding/gob"
	"net/http"

	"github.com/gin-gonic/gin"
)

type Board struct {
	Width int            `json:"width"`
	Cells map[string]int `json:"cells"`
}

var prototype = Board{Width: 8, Cells: map[string]int{"a1": 1, "h8": 2}}

func clone(b Board) (Board, error) {
	var buf bytes.Buffer
	var out Board
	if err := gob.NewEncoder(&buf).Encode(b); err != nil {
		return out, err
	}
	err := gob.NewDecoder(&buf).Decode(&out)
	return out, err
}

func NewGame(c *gin.Context) {
	board, err := clone(prototype)
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	c.JSON(http.StatusCreated, board)
}
