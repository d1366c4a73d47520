package com.example.webhook;

import java.util.Map;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

@RestController
public class WebhookHandler {

    public record Registration(String event, String callbackUrl) { }

    private final WebClient client = WebClient.create();

    @PostMapping("/webhooks/test")
    public Mono<Integer> test(@RequestBody Registration registration) {
        return client.post()
                .uri(registration.callbackUrl())
                .bodyValue(Map.of("event", registration.event()))
                .exchangeToMono(response -> Mono.just(response.statusCode().value()));
    }
}
