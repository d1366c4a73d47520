package com.example.notes;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

public class SecretNote {
    private final SecretKey key;

    public SecretNote(SecretKey key) {
        this.key = key;
    }

    public byte[] encrypt(String note) throws GeneralSecurityException {
        byte[] nonce = new byte[12];
        GCMParameterSpec spec = new GCMParameterSpec(128, nonce);
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, key, spec);
        return cipher.doFinal(note.getBytes(StandardCharsets.UTF_8));
    }
}
