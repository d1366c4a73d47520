package com.example.mail;

import freemarker.template.Configuration;
import freemarker.template.Template;
import freemarker.template.TemplateException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.Map;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class MailPreviewController {
    private final Configuration configuration = new Configuration(Configuration.VERSION_2_3_32);

    @PostMapping("/mail/preview")
    public Map<String, String> preview(@RequestBody Map<String, String> body) throws IOException, TemplateException {
        String source = body.get("template");
        Template template = new Template("preview", new StringReader(source), configuration);
        StringWriter out = new StringWriter();
        template.process(Map.of("name", "Jane Doe"), out);
        return Map.of("text", out.toString());
    }
}
