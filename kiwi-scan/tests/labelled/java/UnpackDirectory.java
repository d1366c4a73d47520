package com.example.unpack;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;

public class UnpackDirectory {

    public File prepare(InputStream manifest) throws IOException {
        File directory = File.createTempFile("unpack", "");
        if (!directory.delete() || !directory.mkdir()) {
            throw new IOException("cannot create directory");
        }
        Files.copy(manifest, new File(directory, "manifest.json").toPath());
        return directory;
    }
}
