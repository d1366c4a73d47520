package com.example.campaign;

import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;

@Controller
public class CampaignController {
    private final ClickCounter counter;

    public CampaignController(ClickCounter counter) {
        this.counter = counter;
    }

    @GetMapping("/campaign/click")
    public String click(@RequestParam("to") String to, @RequestParam(name = "id", defaultValue = "0") long id) {
        counter.increment(id);
        return "redirect:" + to;
    }
}
