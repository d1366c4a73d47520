package com.example.tickets;

import java.util.List;
import org.springframework.data.mongodb.core.MongoTemplate;
import org.springframework.data.mongodb.core.query.BasicQuery;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class TicketQuery {
    private final MongoTemplate mongo;

    TicketQuery(MongoTemplate mongo) {
        this.mongo = mongo;
    }

    @GetMapping("/tickets")
    List<Ticket> list(@RequestParam String state, @RequestParam(defaultValue = "1") int priority) {
        String json = "{ \"public\": true, \"state\": \"" + state + "\", \"priority\": " + priority + " }";
        BasicQuery query = new BasicQuery(json);
        return mongo.find(query, Ticket.class);
    }
}
