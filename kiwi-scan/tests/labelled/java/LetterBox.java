package com.example.messages;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;

public class LetterBox {
    private static final SecureRandom RANDOM = new SecureRandom();
    private final SecretKey key;
    private final Mac mac;

    public LetterBox(SecretKey key, Mac mac) {
        this.key = key;
        this.mac = mac;
    }

    public byte[][] seal(byte[] message) throws GeneralSecurityException {
        byte[] iv = new byte[16];
        RANDOM.nextBytes(iv);
        Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
        cipher.init(Cipher.ENCRYPT_MODE, key, new IvParameterSpec(iv));
        byte[] body = cipher.doFinal(message);
        mac.update(iv);
        return new byte[][] {iv, body, mac.doFinal(body)};
    }
}
