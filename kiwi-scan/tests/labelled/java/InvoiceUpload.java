package com.example.invoice;

import java.io.IOException;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.parsers.SAXParser;
import javax.xml.parsers.SAXParserFactory;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;
import org.xml.sax.SAXException;

@RestController
public class InvoiceUpload {

    @PostMapping("/invoices/upload")
    public int upload(@RequestParam("file") MultipartFile file)
            throws IOException, SAXException, ParserConfigurationException {
        SAXParserFactory factory = SAXParserFactory.newInstance();
        factory.setValidating(false);
        SAXParser parser = factory.newSAXParser();
        InvoiceHandler handler = new InvoiceHandler();
        parser.parse(file.getInputStream(), handler);
        return handler.getLineCount();
    }
}
