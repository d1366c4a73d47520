package com.example.notify;

import java.io.StringWriter;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class AlertRenderer {
    private static final String TEMPLATE = "$product: $subject\n-- \nSent automatically";
    private final VelocityEngine engine = new VelocityEngine();

    @PostMapping(value = "/alerts/render", produces = "text/plain")
    public String render(@RequestParam String subject) {
        VelocityContext context = new VelocityContext();
        context.put("product", "Example Shop");
        context.put("subject", subject);
        StringWriter writer = new StringWriter();
        engine.evaluate(context, writer, "alert", TEMPLATE);
        return writer.toString();
    }
}
