package com.example.pipeline;

import java.util.Map;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

@RestController
public class WorkflowController {

    @PostMapping(value = "/workflows", consumes = "application/yaml")
    public ResponseEntity<Integer> create(@RequestBody String definition) {
        Yaml yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
        Map<String, Object> workflow = yaml.load(definition);
        return ResponseEntity.ok(workflow.size());
    }
}
