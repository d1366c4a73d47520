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
class EmployeeXml {
    private final Document employees;

    EmployeeXml(Document employees) {
        this.employees = employees;
    }

    @GetMapping("/employees/count")
    int count(@RequestParam String department) throws XPathExpressionException {
        XPath xpath = XPathFactory.newInstance().newXPath();
        String expression = "//employee[@public='true'][@department='" + department + "']";
        NodeList nodes = (NodeList) xpath.evaluate(expression, employees, XPathConstants.NODESET);
        return nodes.getLength();
    }
}
