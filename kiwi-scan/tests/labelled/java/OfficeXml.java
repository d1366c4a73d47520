package com.example.hr;

import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathExpressionException;
import javax.xml.xpath.XPathFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

@RestController
class OfficeXml {
    private final Document offices;

    OfficeXml(Document offices) {
        this.offices = offices;
    }

    @GetMapping("/offices/count")
    int count(@RequestParam String city) throws XPathExpressionException {
        XPath xpath = XPathFactory.newInstance().newXPath();
        xpath.setXPathVariableResolver(name -> "city".equals(name.getLocalPart()) ? city : null);
        String expression = "//office[@public='true'][@city=$city]";
        NodeList nodes = (NodeList) xpath.evaluate(expression, offices, XPathConstants.NODESET);
        return nodes.getLength();
    }
}
