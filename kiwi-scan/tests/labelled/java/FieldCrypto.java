package com.example.crypto;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;

public class FieldCrypto {
    private final SecretKey key;
    private final SecureRandom random = new SecureRandom();

    public FieldCrypto(SecretKey key) {
        this.key = key;
    }

    public String encrypt(String value) throws GeneralSecurityException {
        byte[] iv = new byte[8];
        random.nextBytes(iv);
        Cipher cipher = Cipher.getInstance("DES/CBC/PKCS5Padding");
        cipher.init(Cipher.ENCRYPT_MODE, key, new IvParameterSpec(iv));
        byte[] body = cipher.doFinal(value.getBytes(StandardCharsets.UTF_8));
        Base64.Encoder encoder = Base64.getEncoder();
        return encoder.encodeToString(iv) + ":" + encoder.encodeToString(body);
    }
}
