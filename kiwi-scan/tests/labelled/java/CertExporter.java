package com.example.keys;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.security.KeyPair;

public class CertExporter {
    private final File directory;

    public CertExporter(File directory) {
        this.directory = directory;
    }

    public void export(KeyPair pair) throws IOException {
        File file = new File(directory, "issuer.key");
        if (!file.createNewFile() || !file.setReadable(false, false) || !file.setReadable(true, true)
                || !file.setWritable(false, false) || !file.setWritable(true, true)) {
            throw new IOException("cannot restrict permissions");
        }
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write(pair.getPrivate().getEncoded());
        }
    }
}
