package formulas

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
)

func compute(e ast.Expr) (float64, error) {
	switch n := e.(type) {
	case *ast.BasicLit:
		return strconv.ParseFloat(n.Value, 64)
	case *ast.BinaryExpr:
		x, errX := compute(n.X)
		y, errY := compute(n.Y)
		switch n.Op {
		case token.ADD:
			return x + y, errors.Join(errX, errY)
		case token.MUL:
			return x * y, errors.Join(errX, errY)
		}
	}
	return 0, errors.New("not supported")
}

func Evaluate(c *gin.Context) {
	tree, err := parser.ParseExpr(c.Query("formula"))
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	value, err := compute(tree)
	c.JSON(http.StatusOK, gin.H{"value": value, "known": err == nil})
}
