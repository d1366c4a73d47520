package com.example.people;

import java.util.List;
import org.springframework.ldap.core.AttributesMapper;
import org.springframework.ldap.core.LdapTemplate;
import org.springframework.ldap.support.LdapEncoder;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class PhoneFinder {
    private final LdapTemplate ldap;

    PhoneFinder(LdapTemplate ldap) {
        this.ldap = ldap;
    }

    @GetMapping("/people/by-phone")
    List<String> byPhone(@RequestParam String phone) {
        String value = LdapEncoder.filterEncode(phone);
        String filter = String.format("(&(objectClass=person)(telephoneNumber=%s))", value);
        AttributesMapper<String> mapper = attributes -> (String) attributes.get("cn").get();
        return ldap.search("ou=people", filter, mapper);
    }
}
