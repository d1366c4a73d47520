package com.example.callback;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class CallbackController {
    private static final Logger log = LoggerFactory.getLogger(CallbackController.class);
    private final PaymentService payments;

    CallbackController(PaymentService payments) {
        this.payments = payments;
    }

    @PostMapping("/payments/callback")
    ResponseEntity<Void> callback(@RequestParam String reference, @RequestParam boolean paid) {
        if (!payments.exists(reference)) {
            log.warn("callback for unknown payment {}", reference);
            return ResponseEntity.notFound().build();
        }
        payments.update(reference, paid);
        return ResponseEntity.noContent().build();
    }
}
