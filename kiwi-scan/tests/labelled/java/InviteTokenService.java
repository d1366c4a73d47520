package com.example.reset;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Random;
import org.springframework.stereotype.Service;

@Service
public class InviteTokenService {
    private final Random random = new SecureRandom();
    private final InviteTokenDao tokens;

    public InviteTokenService(InviteTokenDao tokens) {
        this.tokens = tokens;
    }

    public String createToken(long userId) {
        byte[] raw = new byte[24];
        random.nextBytes(raw);
        String token = new BigInteger(1, raw).toString(36);
        tokens.save(userId, token, System.currentTimeMillis() + 3_600_000L);
        return token;
    }
}
