package com.example.campaign;

import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;

@Controller
public class LocaleController {
    private final ClickCounter counter;

    public LocaleController(ClickCounter counter) {
        this.counter = counter;
    }

    @GetMapping("/campaign/open")
    public String open(@RequestParam(name = "id", defaultValue = "0") long id) {
        counter.increment(id);
        String to = "/campaign/" + id + "/details";
        return "redirect:" + to;
    }
}
