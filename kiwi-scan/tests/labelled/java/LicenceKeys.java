package com.example.signing;

import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;

public class LicenceKeys {
    private static final int KEY_SIZE = 3072;
    private static final int BUFFER_SIZE = 1024;

    public KeyPair create() throws NoSuchAlgorithmException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(KEY_SIZE);
        return generator.generateKeyPair();
    }

    public byte[] sign(PrivateKey key, InputStream in) throws GeneralSecurityException, IOException {
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(key);
        byte[] buffer = new byte[BUFFER_SIZE];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            signature.update(buffer, 0, n);
        }
        return signature.sign();
    }
}
