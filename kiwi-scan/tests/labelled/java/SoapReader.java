package com.example.soap;

import java.io.StringReader;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class SoapReader {

    @PostMapping(value = "/soap", consumes = "text/xml", produces = "text/plain")
    public String action(@RequestBody String envelope) throws XMLStreamException {
        XMLInputFactory factory = XMLInputFactory.newInstance();
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        XMLStreamReader reader = factory.createXMLStreamReader(new StringReader(envelope));
        while (reader.hasNext()) {
            if (reader.next() == XMLStreamConstants.START_ELEMENT && "Action".equals(reader.getLocalName())) {
                return reader.getElementText();
            }
        }
        return "";
    }
}
