package com.example.greeting;

import org.springframework.http.MediaType;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseBody;
import org.springframework.web.util.HtmlUtils;

@Controller
public class FarewellController {
    private static final String PAGE = "<!doctype html><p>Goodbye, %s! You had %d messages.</p>";

    @GetMapping(value = "/bye", produces = MediaType.TEXT_HTML_VALUE)
    @ResponseBody
    public String bye(@RequestParam(defaultValue = "guest") String name, @RequestParam(defaultValue = "0") int count) {
        String html = String.format(PAGE, HtmlUtils.htmlEscape(name), count);
        return html;
    }
}
