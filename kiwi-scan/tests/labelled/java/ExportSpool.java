package com.example.spool;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

public class ExportSpool {

    public Path spool(long exportId, String content) throws IOException {
        Path file = Files.createTempFile("export-" + exportId + "-", ".csv");
        try (Writer writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            writer.write(content);
        }
        return file;
    }
}
