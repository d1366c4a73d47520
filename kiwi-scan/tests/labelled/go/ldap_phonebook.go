package directory

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-ldap/ldap/v3"
)

const phonebook = "ou=people,dc=example,dc=com"

func Phonebook(conn *ldap.Conn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := ldap.EscapeFilter(r.URL.Query().Get("name"))
		filter := fmt.Sprintf("(&(objectClass=person)(cn=%s))", name)
		req := ldap.NewSearchRequest(phonebook, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
			100, 5, false, filter, []string{"telephoneNumber"}, nil)
		res, err := conn.Search(req)
		if err != nil {
			http.Error(w, "search failed", http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]int{"hits": len(res.Entries)})
	}
}
