package com.example.backup;

import java.io.IOException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class RestoreJob {

    enum Table { ORDERS, CUSTOMERS }

    static class Request {
        public Table table;
        public int day;
    }

    @PostMapping("/restores")
    public int start(@RequestBody Request request) throws IOException, InterruptedException {
        String name = request.table == Table.ORDERS ? "orders" : "customers";
        String line = String.format("gunzip -c /backup/%s-%d.gz | psql shop", name, request.day);
        return new ProcessBuilder("/bin/sh", "-c", line)
                .redirectErrorStream(true)
                .start()
                .waitFor();
    }
}
