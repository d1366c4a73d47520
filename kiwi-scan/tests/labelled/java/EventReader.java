package com.example.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class EventReader {
    private final ObjectMapper mapper = new ObjectMapper();

    public EventReader() {
        mapper.enableDefaultTyping(ObjectMapper.DefaultTyping.OBJECT_AND_NON_CONCRETE);
    }

    @PostMapping("/events")
    public String read(@RequestBody String json) throws JsonProcessingException {
        Object event = mapper.readValue(json, Object.class);
        return event.getClass().getSimpleName();
    }
}
