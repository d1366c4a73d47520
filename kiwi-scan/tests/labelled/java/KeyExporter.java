package com.example.keys;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.security.KeyPair;

public class KeyExporter {
    private final File directory;

    public KeyExporter(File directory) {
        this.directory = directory;
    }

    public void export(KeyPair pair) throws IOException {
        File file = new File(directory, "signing.key");
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write(pair.getPrivate().getEncoded());
        }
        if (!file.setReadable(true, false) || !file.setWritable(true, false)) {
            throw new IOException("cannot change permissions");
        }
    }
}
