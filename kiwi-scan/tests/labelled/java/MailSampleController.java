package com.example.mail;

import freemarker.template.Configuration;
import freemarker.template.Template;
import freemarker.template.TemplateException;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Map;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class MailSampleController {
    private final Configuration configuration;

    public MailSampleController(Configuration configuration) {
        this.configuration = configuration;
    }

    @PostMapping("/mail/sample")
    public Map<String, String> sample(@RequestBody Map<String, String> body) throws IOException, TemplateException {
        Template template = configuration.getTemplate("sample.ftlh");
        StringWriter out = new StringWriter();
        template.process(Map.of("name", body.getOrDefault("name", "Jane Doe")), out);
        return Map.of("text", out.toString());
    }
}
