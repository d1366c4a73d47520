package com.example.pricing;

import javax.script.Bindings;
import javax.script.ScriptEngine;
import javax.script.ScriptEngineManager;
import javax.script.ScriptException;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class SurchargeController {
    private static final String SCRIPT = "Math.round(price * (1 + rate) * 100) / 100";
    private final ScriptEngineManager manager = new ScriptEngineManager();

    @PostMapping("/surcharges/preview")
    public double preview(@RequestParam double rate, @RequestParam double price) throws ScriptException {
        ScriptEngine engine = manager.getEngineByName("JavaScript");
        Bindings bindings = engine.createBindings();
        bindings.put("price", price);
        bindings.put("rate", rate);
        return ((Number) engine.eval(SCRIPT, bindings)).doubleValue();
    }
}
