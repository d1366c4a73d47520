package com.example.tags;

import java.util.regex.Pattern;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class TagValidator {
    private static final Pattern TAGS = Pattern.compile("^(([a-z0-9]+-?)+,?)+$");

    @PostMapping("/tags/check")
    ResponseEntity<Boolean> check(@RequestParam String tags) {
        boolean valid = TAGS.matcher(tags).matches();
        return ResponseEntity.ok(valid);
    }
}
