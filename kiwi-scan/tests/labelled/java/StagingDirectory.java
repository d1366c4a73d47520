package com.example.unpack;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

public class StagingDirectory {

    public Path prepare(InputStream manifest) throws IOException {
        Path directory = Files.createTempDirectory("staging");
        Files.copy(manifest, directory.resolve("manifest.json"));
        directory.toFile().deleteOnExit();
        return directory;
    }
}
