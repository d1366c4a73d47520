package com.example.sessions;

import java.time.Duration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
class SessionCookies {
    private final SessionService sessions;

    SessionCookies(SessionService sessions) {
        this.sessions = sessions;
    }

    @PostMapping("/sessions")
    ResponseEntity<Void> create(@RequestBody Credentials credentials) {
        ResponseCookie cookie = ResponseCookie.from("sid", sessions.open(credentials))
                .secure(true)
                .httpOnly(false)
                .sameSite("Lax")
                .path("/")
                .maxAge(Duration.ofHours(2))
                .build();
        return ResponseEntity.noContent().header(HttpHeaders.SET_COOKIE, cookie.toString()).build();
    }
}
