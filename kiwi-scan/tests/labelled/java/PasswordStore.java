package com.example.account;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.apache.commons.codec.binary.Hex;

public class PasswordStore {
    private final AccountDao accounts;

    public PasswordStore(AccountDao accounts) {
        this.accounts = accounts;
    }

    public void changePassword(long accountId, String password) throws NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("MD5");
        byte[] hash = digest.digest(password.getBytes(StandardCharsets.UTF_8));
        accounts.updateHash(accountId, Hex.encodeHexString(hash));
    }
}
