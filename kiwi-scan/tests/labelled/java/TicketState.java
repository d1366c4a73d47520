package com.example.tickets;

import java.util.List;
import org.springframework.data.mongodb.core.MongoTemplate;
import org.springframework.data.mongodb.core.query.Criteria;
import org.springframework.data.mongodb.core.query.Query;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class TicketState {
    private final MongoTemplate mongo;

    TicketState(MongoTemplate mongo) {
        this.mongo = mongo;
    }

    @GetMapping("/tickets/state")
    List<Ticket> list(@RequestParam String state, @RequestParam(defaultValue = "1") int priority) {
        Query query = new Query(Criteria.where("state").is(state).and("priority").is(priority));
        query.limit(100);
        return mongo.find(query, Ticket.class);
    }
}
