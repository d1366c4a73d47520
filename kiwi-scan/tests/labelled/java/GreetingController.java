package com.example.greeting;

import org.springframework.http.MediaType;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseBody;

@Controller
public class GreetingController {
    private static final String PAGE = "<!doctype html><p>Hello, %s! You have %d messages.</p>";

    @GetMapping(value = "/hello", produces = MediaType.TEXT_HTML_VALUE)
    @ResponseBody
    public String hello(@RequestParam(defaultValue = "guest") String name, @RequestParam(defaultValue = "0") int count) {
        String html = String.format(PAGE, name, count);
        return html;
    }
}
