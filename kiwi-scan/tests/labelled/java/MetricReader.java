package com.example.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class MetricReader {

    static class Metric {
        public String name;
        public double value;
    }

    private final ObjectMapper mapper = new ObjectMapper();

    public MetricReader() {
        mapper.enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    }

    @PostMapping("/metrics")
    public double read(@RequestBody String json) throws JsonProcessingException {
        Metric metric = mapper.readValue(json, Metric.class);
        return metric.value;
    }
}
