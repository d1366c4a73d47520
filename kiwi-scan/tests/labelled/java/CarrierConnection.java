package com.example.carrier;

import java.io.IOException;
import java.net.URL;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSession;

public class CarrierConnection {

    public int ping() throws IOException {
        URL url = new URL("https://carrier.example.com/ping");
        HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
        connection.setHostnameVerifier(new HostnameVerifier() {
            @Override
            public boolean verify(String hostname, SSLSession session) {
                return true;
            }
        });
        try {
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }
}
