package com.example.catalog;

import com.mongodb.client.MongoCollection;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class ProductQuery {
    private final MongoCollection<Document> products;

    ProductQuery(MongoCollection<Document> products) {
        this.products = products;
    }

    @GetMapping("/products/by-brand")
    List<Document> byBrand(@RequestParam String brand) {
        Document query = new Document("$where", "this.brand == '" + brand + "' && this.stock > 0");
        return products.find(query).limit(50).into(new ArrayList<>());
    }
}
