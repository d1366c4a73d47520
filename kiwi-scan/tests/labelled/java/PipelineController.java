package com.example.pipeline;

import java.util.Map;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.Constructor;

@RestController
public class PipelineController {

    @PostMapping(value = "/pipelines", consumes = "application/yaml")
    public ResponseEntity<Integer> create(@RequestBody String definition) {
        Yaml yaml = new Yaml(new Constructor());
        Map<String, Object> pipeline = yaml.load(definition);
        return ResponseEntity.ok(pipeline.size());
    }
}
