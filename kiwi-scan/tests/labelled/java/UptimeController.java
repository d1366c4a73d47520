package com.example.ops;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class UptimeController {
    private static final String[] COMMAND = {"/bin/sh", "-c", "uptime | cut -d, -f1"};

    @GetMapping("/ops/uptime")
    public Map<String, Object> uptime(@RequestParam(defaultValue = "false") boolean brief) throws IOException {
        Process process = Runtime.getRuntime().exec(COMMAND);
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = reader.readLine();
            return Map.of("uptime", brief ? line.substring(0, 8) : line);
        }
    }
}
