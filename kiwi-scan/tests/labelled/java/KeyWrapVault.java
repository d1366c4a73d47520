package com.example.vault;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

public class KeyWrapVault {
    private static final String ALGORITHM = "AES";
    private final SecretKeySpec master;

    public KeyWrapVault(byte[] keyBytes) {
        this.master = new SecretKeySpec(keyBytes, ALGORITHM);
    }

    public byte[] newDataKey() throws GeneralSecurityException {
        KeyGenerator generator = KeyGenerator.getInstance(ALGORITHM);
        generator.init(256);
        SecretKey dataKey = generator.generateKey();
        Cipher cipher = Cipher.getInstance("AESWrap");
        cipher.init(Cipher.WRAP_MODE, master);
        return cipher.wrap(dataKey);
    }
}
