package com.example.webhook;

import java.util.Map;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

@RestController
public class PartnerHandler {

    public record Notice(String event, String partner) { }

    private static final Map<String, String> PARTNERS = Map.of(
            "crm", "https://crm.example.com/hooks",
            "billing", "https://billing.example.com/hooks");

    private final WebClient client = WebClient.create();

    @PostMapping("/partners/notify")
    public Mono<Integer> send(@RequestBody Notice notice) {
        String url = PARTNERS.getOrDefault(notice.partner(), "https://crm.example.com/hooks");
        return client.post()
                .uri(url)
                .bodyValue(Map.of("event", notice.event()))
                .exchangeToMono(response -> Mono.just(response.statusCode().value()));
    }
}
