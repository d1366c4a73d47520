package com.example.notify;

import java.io.StringWriter;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class NotificationRenderer {
    private final VelocityEngine engine = new VelocityEngine();

    @PostMapping(value = "/notifications/render", produces = "text/plain")
    public String render(@RequestParam String subject) {
        VelocityContext context = new VelocityContext();
        context.put("product", "Example Shop");
        String template = "$product: " + subject + "\n-- \nSent automatically";
        StringWriter writer = new StringWriter();
        engine.evaluate(context, writer, "notification", template);
        return writer.toString();
    }
}
