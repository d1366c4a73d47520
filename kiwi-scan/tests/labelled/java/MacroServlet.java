package com.example.macro;

import groovy.lang.Binding;
import groovy.lang.GroovyShell;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.stream.Collectors;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/macro")
public class MacroServlet extends HttpServlet {

    @Override
    protected void doPost(HttpServletRequest req, HttpServletResponse resp) throws IOException {
        String macro;
        try (BufferedReader reader = req.getReader()) {
            macro = reader.lines().collect(Collectors.joining("\n"));
        }
        Binding binding = new Binding();
        binding.setVariable("today", java.time.LocalDate.now());
        GroovyShell shell = new GroovyShell(binding);
        shell.evaluate(macro);
        resp.setStatus(HttpServletResponse.SC_NO_CONTENT);
    }
}
