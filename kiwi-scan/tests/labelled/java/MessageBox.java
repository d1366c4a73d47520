package com.example.messages;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;

public class MessageBox {
    private static final byte[] IV = "8f3k2m9q1x7z4c6v".getBytes(StandardCharsets.US_ASCII);
    private final SecretKey key;
    private final Mac mac;

    public MessageBox(SecretKey key, Mac mac) {
        this.key = key;
        this.mac = mac;
    }

    public byte[][] seal(byte[] message) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
        cipher.init(Cipher.ENCRYPT_MODE, key, new IvParameterSpec(IV));
        byte[] body = cipher.doFinal(message);
        mac.update(IV);
        return new byte[][] {body, mac.doFinal(body)};
    }
}
