package com.example.plugins;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

public class PluginImporter {

    public int extract(InputStream upload, Path directory) throws IOException {
        Path target = directory.toAbsolutePath().normalize();
        int count = 0;
        try (ZipInputStream zip = new ZipInputStream(upload)) {
            ZipEntry entry;
            while ((entry = zip.getNextEntry()) != null) {
                Path out = target.resolve(entry.getName()).normalize();
                if (!out.startsWith(target)) {
                    throw new IOException("entry outside of the target directory");
                }
                if (!entry.isDirectory()) {
                    Files.createDirectories(out.getParent());
                    Files.copy(zip, out);
                    count++;
                }
            }
        }
        return count;
    }
}
