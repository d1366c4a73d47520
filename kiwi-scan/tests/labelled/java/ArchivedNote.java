package com.example.notes;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

public class ArchivedNote {
    private final SecretKey key;

    public ArchivedNote(SecretKey key) {
        this.key = key;
    }

    public byte[] encrypt(String note) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, key);
        byte[] body = cipher.doFinal(note.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.allocate(12 + body.length).put(cipher.getIV()).put(body).array();
    }

    public String decrypt(byte[] stored) throws GeneralSecurityException {
        byte[] nonce = new byte[12];
        System.arraycopy(stored, 0, nonce, 0, nonce.length);
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.DECRYPT_MODE, key, new GCMParameterSpec(128, nonce));
        return new String(cipher.doFinal(stored, 12, stored.length - 12), StandardCharsets.UTF_8);
    }
}
