package com.example.backup;

import java.io.IOException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class BackupJob {

    public static class Request {
        public String table;
        public int keepDays;
    }

    @PostMapping("/backups")
    public int start(@RequestBody Request request) throws IOException, InterruptedException {
        String line = String.format("pg_dump -t %s shop | gzip > /backup/shop-%d.gz", request.table, request.keepDays);
        return run(line);
    }

    private int run(String line) throws IOException, InterruptedException {
        return new ProcessBuilder("/bin/sh", "-c", line)
                .redirectErrorStream(true)
                .start()
                .waitFor();
    }
}
