package com.example.vault;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

public class CardVault {
    private static final String ALGORITHM = "AES";
    private final SecretKeySpec key;

    public CardVault(byte[] keyBytes) {
        this.key = new SecretKeySpec(keyBytes, ALGORITHM);
    }

    public byte[] seal(String pan) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(ALGORITHM);
        cipher.init(Cipher.ENCRYPT_MODE, key);
        return cipher.doFinal(pan.getBytes(StandardCharsets.UTF_8));
    }
}
