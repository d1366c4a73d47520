package com.example.ops;

import java.io.IOException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class PingController {

    @GetMapping("/ops/ping")
    public int ping(@RequestParam("host") String host) throws IOException, InterruptedException {
        String[] command = {"/bin/sh", "-c", "ping -c 3 " + host};
        Process process = Runtime.getRuntime().exec(command);
        return process.waitFor();
    }
}
