package com.example.people;

import java.util.List;
import org.springframework.ldap.core.AttributesMapper;
import org.springframework.ldap.core.LdapTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class PersonFinder {
    private final LdapTemplate ldap;

    PersonFinder(LdapTemplate ldap) {
        this.ldap = ldap;
    }

    @GetMapping("/people/by-mail")
    List<String> byMail(@RequestParam String mail) {
        String filter = String.format("(&(objectClass=person)(mail=%s))", mail);
        AttributesMapper<String> mapper = attributes -> (String) attributes.get("cn").get();
        return ldap.search("ou=people", filter, mapper);
    }
}
