package com.example.links;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class UploadSigner {
    private final byte[] secret;

    public UploadSigner(byte[] secret) {
        this.secret = secret.clone();
    }

    public String sign(String path, long expires) {
        String text = path + "?expires=" + expires;
        try {
            String name = "Hmac" + "SHA256";
            Mac mac = Mac.getInstance(name);
            mac.init(new SecretKeySpec(secret, name));
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
