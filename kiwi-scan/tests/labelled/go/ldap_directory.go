package directory

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-ldap/ldap/v3"
)

const base = "ou=people,dc=example,dc=com"

func People(conn *ldap.Conn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		filter := fmt.Sprintf("(&(objectClass=person)(sn=%s))", r.URL.Query().Get("surname"))
		req := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
			100, 5, false, filter, []string{"mail"}, nil)
		res, err := conn.Search(req)
		if err != nil {
			http.Error(w, "search failed", http.StatusBadGateway)
			return
		}
		mails := []string{}
		for _, e := range res.Entries {
			mails = append(mails, e.GetAttributeValue("mail"))
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(mails)
	}
}
