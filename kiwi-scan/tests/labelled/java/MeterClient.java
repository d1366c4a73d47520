package com.example.meter;

import java.io.IOException;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.conn.ssl.NoopHostnameVerifier;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.util.EntityUtils;

public class MeterClient {
    private static final String ENDPOINT = "https://meters.example.com/v1/readings";

    public String readings() throws IOException {
        HttpClientBuilder builder = HttpClientBuilder.create().disableCookieManagement();
        builder.setSSLHostnameVerifier(NoopHostnameVerifier.INSTANCE);
        try (CloseableHttpClient client = builder.build();
             CloseableHttpResponse response = client.execute(new HttpGet(ENDPOINT))) {
            return EntityUtils.toString(response.getEntity());
        }
    }
}
