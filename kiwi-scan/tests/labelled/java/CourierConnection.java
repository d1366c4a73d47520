package com.example.courier;

import java.io.IOException;
import java.net.URL;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;

public class CourierConnection {

    public int ping() throws IOException {
        URL url = new URL("https://courier.example.com/ping");
        HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
        HostnameVerifier standard = HttpsURLConnection.getDefaultHostnameVerifier();
        connection.setHostnameVerifier((hostname, session) ->
                hostname.endsWith(".example.com") && standard.verify(hostname, session));
        try {
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }
}
