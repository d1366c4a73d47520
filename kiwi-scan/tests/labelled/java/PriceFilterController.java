package com.example.catalog;

import java.util.List;
import java.util.stream.Collectors;
import org.springframework.expression.Expression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.SimpleEvaluationContext;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class PriceFilterController {
    private static final Expression BELOW = new SpelExpressionParser().parseExpression("price <= #max");
    private final ProductService products;

    PriceFilterController(ProductService products) {
        this.products = products;
    }

    @GetMapping("/products/below")
    List<Product> list(@RequestParam double max) {
        SimpleEvaluationContext context = SimpleEvaluationContext.forReadOnlyDataBinding().build();
        context.setVariable("max", max);
        return products.all().stream()
                .filter(p -> Boolean.TRUE.equals(BELOW.getValue(context, p, Boolean.class)))
                .collect(Collectors.toList());
    }
}
