package com.example.sensor;

import java.io.IOException;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.conn.ssl.DefaultHostnameVerifier;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.util.EntityUtils;

public class SensorClient {
    private static final String ENDPOINT = "https://sensors.example.com/v1/readings";

    public String readings() throws IOException {
        HttpClientBuilder builder = HttpClientBuilder.create().disableCookieManagement();
        builder.setSSLHostnameVerifier(new DefaultHostnameVerifier());
        try (CloseableHttpClient client = builder.build();
             CloseableHttpResponse response = client.execute(new HttpGet(ENDPOINT))) {
            return EntityUtils.toString(response.getEntity());
        }
    }
}
