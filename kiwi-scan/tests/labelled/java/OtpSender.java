package com.example.otp;

public class OtpSender {
    private final SmsGateway gateway;
    private final OtpDao codes;

    public OtpSender(SmsGateway gateway, OtpDao codes) {
        this.gateway = gateway;
        this.codes = codes;
    }

    public void sendLoginCode(long userId, String phone) {
        StringBuilder code = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            code.append((int) (Math.random() * 10));
        }
        codes.save(userId, code.toString());
        gateway.send(phone, "Your login code is " + code);
    }
}
