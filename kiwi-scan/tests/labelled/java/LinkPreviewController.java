package com.example.preview;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Map;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class LinkPreviewController {

    @GetMapping("/preview")
    public Map<String, Object> preview(@RequestParam("url") String address) throws IOException {
        URL url = new URL(address);
        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(3000);
        try (InputStream in = connection.getInputStream()) {
            byte[] body = in.readNBytes(65536);
            return Map.of("status", connection.getResponseCode(), "size", body.length);
        }
    }
}
