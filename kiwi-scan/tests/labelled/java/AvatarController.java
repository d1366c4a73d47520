package com.example.users;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

@RestController
public class AvatarController {
    private static final String AVATARS = "/srv/avatars";

    @PostMapping("/avatar")
    public ResponseEntity<Void> upload(@RequestParam("file") MultipartFile file) throws IOException {
        String original = file.getOriginalFilename();
        Path destination = Paths.get(AVATARS, original);
        file.transferTo(destination);
        return ResponseEntity.noContent().build();
    }
}
