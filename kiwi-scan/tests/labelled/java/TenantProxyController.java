package com.example.proxy;

import java.util.Map;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestTemplate;

@RestController
class TenantProxyController {
    private final RestTemplate rest;

    TenantProxyController(RestTemplate rest) {
        this.rest = rest;
    }

    @GetMapping("/tenant/usage")
    Map<?, ?> usage(@RequestHeader("X-Tenant-Host") String tenant) {
        String target = "https://" + tenant + "/internal/usage";
        return rest.getForObject(target, Map.class);
    }
}
