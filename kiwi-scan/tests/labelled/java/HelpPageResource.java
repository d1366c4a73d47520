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
import org.apache.commons.io.FilenameUtils;

@javax.ws.rs.Path("/help")
public class HelpPageResource {
    private final Path pages = Paths.get("/srv/help");

    @GET
    @Produces(MediaType.TEXT_PLAIN)
    public String page(@QueryParam("file") String file) throws IOException {
        String name = FilenameUtils.getName(file);
        Path path = pages.resolve(name + ".txt");
        byte[] content = Files.readAllBytes(path);
        return new String(content, StandardCharsets.UTF_8);
    }
}
