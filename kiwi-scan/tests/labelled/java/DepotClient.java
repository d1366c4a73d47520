package com.example.depot;

import java.io.File;
import java.io.IOException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.ssl.SSLContextBuilder;

public class DepotClient {

    public int status(char[] storePassword) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContextBuilder.create()
                .loadTrustMaterial(new File("/etc/depot/trust.p12"), storePassword)
                .build();
        try (CloseableHttpClient client = HttpClients.custom().setSSLContext(context).build();
             CloseableHttpResponse response = client.execute(new HttpGet("https://depot.example.com/status"))) {
            return response.getStatusLine().getStatusCode();
        }
    }
}
