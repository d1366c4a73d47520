package com.example.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import javax.ws.rs.GET;
import javax.ws.rs.Produces;
import javax.ws.rs.QueryParam;
import javax.ws.rs.core.MediaType;

@javax.ws.rs.Path("/logs")
public class LogViewResource {
    private final Path logs = Paths.get("/var/log/shop");

    @GET
    @Produces(MediaType.TEXT_PLAIN)
    public String tail(@QueryParam("file") String file, @QueryParam("bytes") int bytes) throws IOException {
        Path path = logs.resolve(file);
        byte[] content = Files.readAllBytes(path);
        int from = Math.max(0, content.length - bytes);
        return new String(content, from, content.length - from, StandardCharsets.UTF_8);
    }
}
