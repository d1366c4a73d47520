package com.example.macro;

import groovy.lang.Binding;
import groovy.lang.GroovyShell;
import java.io.IOException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/schedule")
public class ScheduleServlet extends HttpServlet {
    private static final String SCRIPT = "today.plusDays(days).toString()";

    @Override
    protected void doGet(HttpServletRequest req, HttpServletResponse resp) throws IOException {
        int days = Integer.parseInt(req.getParameter("days"));
        Binding binding = new Binding();
        binding.setVariable("today", java.time.LocalDate.now());
        binding.setVariable("days", days);
        GroovyShell shell = new GroovyShell(binding);
        Object date = shell.evaluate(SCRIPT);
        resp.setContentType("text/plain");
        resp.getWriter().print(date);
    }
}
