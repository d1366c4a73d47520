package com.example.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

public class AgentInstaller {

    public void install(String json) throws IOException {
        Path file = Paths.get("/etc/metrics-agent/agent.json");
        Files.write(file, json.getBytes(StandardCharsets.UTF_8));
        Set<PosixFilePermission> mode = PosixFilePermissions.fromString("rwxrwxrwx");
        Files.setPosixFilePermissions(file, mode);
    }
}
