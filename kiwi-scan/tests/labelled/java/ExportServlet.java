package com.example.imports;

import java.io.IOException;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/exports")
public class ExportServlet extends HttpServlet {
    private static final Logger LOG = Logger.getLogger(ExportServlet.class.getName());
    private final transient Exporter exporter = new Exporter();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setContentType("text/plain");
        try {
            exporter.writeTo(response.getOutputStream());
        } catch (IllegalStateException e) {
            LOG.log(Level.SEVERE, "export failed", e);
            response.sendError(HttpServletResponse.SC_INTERNAL_SERVER_ERROR, "export failed");
        }
    }
}
