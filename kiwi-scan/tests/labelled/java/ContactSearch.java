package com.example.contacts;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class ContactSearch {
    private final ContactService contacts;

    ContactSearch(ContactService contacts) {
        this.contacts = contacts;
    }

    @GetMapping("/contacts")
    List<Contact> search(@RequestParam String pattern) {
        Pattern compiled = Pattern.compile(pattern, Pattern.CASE_INSENSITIVE);
        return contacts.all().stream()
                .filter(c -> compiled.matcher(c.getName()).find())
                .limit(50)
                .collect(Collectors.toList());
    }
}
