package com.example.tags;

import java.util.regex.Pattern;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class SlugValidator {
    private static final Pattern SLUG = Pattern.compile("^[a-z0-9]++(?:-[a-z0-9]++)*+$");

    @PostMapping("/slugs/check")
    ResponseEntity<Boolean> check(@RequestParam String slug) {
        boolean valid = slug.length() <= 80 && SLUG.matcher(slug).matches();
        return ResponseEntity.ok(valid);
    }
}
