package com.example.users;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

@RestController
public class BadgeController {
    private static final String BADGES = "/srv/badges";

    @PostMapping("/badge")
    public ResponseEntity<String> upload(@RequestParam("file") MultipartFile file) throws IOException {
        String original = file.getOriginalFilename();
        if (original == null || !original.endsWith(".png")) {
            return ResponseEntity.badRequest().build();
        }
        String stored = UUID.randomUUID() + ".png";
        Path destination = Paths.get(BADGES, stored);
        file.transferTo(destination);
        return ResponseEntity.ok(stored);
    }
}
