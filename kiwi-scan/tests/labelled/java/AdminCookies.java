package com.example.sessions;

import java.time.Duration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
class AdminCookies {
    private final AdminSessions sessions;

    AdminCookies(AdminSessions sessions) {
        this.sessions = sessions;
    }

    @PostMapping("/admin/sessions")
    ResponseEntity<Void> create(@RequestBody Credentials credentials) {
        ResponseCookie cookie = ResponseCookie.from("admin_sid", sessions.open(credentials))
                .secure(true)
                .httpOnly(true)
                .sameSite("Strict")
                .path("/admin")
                .maxAge(Duration.ofMinutes(15))
                .build();
        return ResponseEntity.noContent().header(HttpHeaders.SET_COOKIE, cookie.toString()).build();
    }
}
