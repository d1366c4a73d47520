package com.example.proxy;

import java.util.Map;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestTemplate;

@RestController
class AccountProxyController {
    private static final String TARGET = "https://accounts.example.com/internal/usage/{id}";
    private final RestTemplate rest;

    AccountProxyController(RestTemplate rest) {
        this.rest = rest;
    }

    @GetMapping("/account/usage")
    Map<?, ?> usage(@RequestParam("id") long id) {
        return rest.getForObject(TARGET, Map.class, id);
    }
}
