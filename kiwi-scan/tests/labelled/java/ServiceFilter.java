package com.example.auth;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.exceptions.JWTVerificationException;
import com.auth0.jwt.interfaces.JWTVerifier;
import java.io.IOException;
import java.security.interfaces.RSAPublicKey;
import javax.servlet.FilterChain;
import javax.servlet.ServletException;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.springframework.web.filter.OncePerRequestFilter;

public class ServiceFilter extends OncePerRequestFilter {
    private final JWTVerifier verifier;

    public ServiceFilter(RSAPublicKey key) {
        this.verifier = JWT.require(Algorithm.RSA256(key, null)).withIssuer("https://id.example.com").build();
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        String header = String.valueOf(request.getHeader("Authorization")).replaceFirst("^Bearer ", "");
        try {
            request.setAttribute("userId", verifier.verify(header).getSubject());
        } catch (JWTVerificationException e) {
            response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
            return;
        }
        chain.doFilter(request, response);
    }
}
