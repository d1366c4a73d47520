package com.example.catalog;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.gt;

import com.mongodb.client.MongoCollection;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.bson.conversions.Bson;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class ProductStock {
    private final MongoCollection<Document> products;

    ProductStock(MongoCollection<Document> products) {
        this.products = products;
    }

    @GetMapping("/products/in-stock")
    List<Document> byBrand(@RequestParam String brand) {
        Bson query = and(eq("brand", brand), gt("stock", 0));
        return products.find(query).limit(50).into(new ArrayList<>());
    }
}
