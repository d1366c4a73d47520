package com.example.catalog;

import java.util.List;
import java.util.stream.Collectors;
import org.springframework.expression.Expression;
import org.springframework.expression.ExpressionParser;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class FilterController {
    private final ExpressionParser parser = new SpelExpressionParser();
    private final ProductService products;

    FilterController(ProductService products) {
        this.products = products;
    }

    @GetMapping("/products")
    List<Product> list(@RequestParam(defaultValue = "true") String filter) {
        Expression expression = parser.parseExpression(filter);
        return products.all().stream()
                .filter(p -> Boolean.TRUE.equals(expression.getValue(p, Boolean.class)))
                .collect(Collectors.toList());
    }
}
