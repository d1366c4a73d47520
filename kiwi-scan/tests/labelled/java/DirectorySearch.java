package com.example.directory;

import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.directory.DirContext;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class DirectorySearch {
    private final DirContext context;

    DirectorySearch(DirContext context) {
        this.context = context;
    }

    @GetMapping("/directory/exists")
    boolean exists(@RequestParam String uid) throws NamingException {
        SearchControls controls = new SearchControls();
        controls.setSearchScope(SearchControls.SUBTREE_SCOPE);
        String filter = "(&(objectClass=person)(uid=" + uid + "))";
        NamingEnumeration<SearchResult> results = context.search("ou=people,dc=example,dc=com", filter, controls);
        return results.hasMore();
    }
}
