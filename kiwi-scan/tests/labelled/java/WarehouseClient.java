package com.example.warehouse;

import java.io.IOException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.ssl.SSLContextBuilder;

public class WarehouseClient {

    public int status() throws IOException, GeneralSecurityException {
        SSLContext context = SSLContextBuilder.create()
                .loadTrustMaterial(null, (chain, authType) -> true)
                .build();
        try (CloseableHttpClient client = HttpClients.custom().setSSLContext(context).build();
             CloseableHttpResponse response = client.execute(new HttpGet("https://warehouse.example.com/status"))) {
            return response.getStatusLine().getStatusCode();
        }
    }
}
