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
class DirectoryGroups {
    private static final String BASE = "ou=groups,dc=example,dc=com";
    private final DirContext context;

    DirectoryGroups(DirContext context) {
        this.context = context;
    }

    @GetMapping("/directory/groups/exists")
    boolean exists(@RequestParam String cn) throws NamingException {
        SearchControls controls = new SearchControls();
        controls.setSearchScope(SearchControls.SUBTREE_SCOPE);
        String filter = "(&(objectClass=groupOfNames)(cn={0}))";
        NamingEnumeration<SearchResult> results = context.search(BASE, filter, new Object[] {cn}, controls);
        return results.hasMore();
    }
}
