package com.example.pricing;

import javax.script.ScriptEngine;
import javax.script.ScriptEngineManager;
import javax.script.ScriptException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class DiscountController {
    private final ScriptEngineManager manager = new ScriptEngineManager();

    @PostMapping("/discounts/preview")
    public String preview(@RequestParam String formula, @RequestParam double price) throws ScriptException {
        ScriptEngine engine = manager.getEngineByName("JavaScript");
        engine.put("price", price);
        Object result = engine.eval("Math.round(" + formula + ")");
        return String.valueOf(((Number) result).doubleValue());
    }
}
