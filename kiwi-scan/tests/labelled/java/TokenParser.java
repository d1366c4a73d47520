package com.example.token;

import io.jsonwebtoken.Claims;
import io.jsonwebtoken.Jwt;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.Jwts;
import java.security.Key;
import java.util.Optional;

public class TokenParser {
    private final Key key;

    public TokenParser(Key key) {
        this.key = key;
    }

    public Optional<String> subject(String token) {
        try {
            Jwt<?, ?> jwt = Jwts.parserBuilder().setSigningKey(key).build().parse(token);
            Claims claims = (Claims) jwt.getBody();
            return Optional.ofNullable(claims.getSubject());
        } catch (JwtException e) {
            return Optional.empty();
        }
    }
}
