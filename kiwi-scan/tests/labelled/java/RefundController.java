package com.example.callback;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class RefundController {
    private static final Logger log = LoggerFactory.getLogger(RefundController.class);
    private final RefundService refunds;

    RefundController(RefundService refunds) {
        this.refunds = refunds;
    }

    @PostMapping("/refunds/callback")
    ResponseEntity<Void> callback(@RequestParam long refundId, @RequestParam boolean paid) {
        if (!refunds.exists(refundId)) {
            log.warn("callback for unknown refund {}, paid {}", refundId, paid);
            return ResponseEntity.notFound().build();
        }
        refunds.update(refundId, paid);
        return ResponseEntity.noContent().build();
    }
}
