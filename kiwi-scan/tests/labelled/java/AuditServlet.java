package com.example.audit;

import java.io.IOException;
import java.util.logging.Logger;
import javax.servlet.ServletException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/session")
public class AuditServlet extends HttpServlet {
    private static final Logger LOG = Logger.getLogger("audit");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String user = request.getParameter("user");
        try {
            request.login(user, request.getParameter("password"));
            response.setStatus(HttpServletResponse.SC_NO_CONTENT);
        } catch (ServletException e) {
            LOG.warning("login failed for user " + user);
            response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
        }
    }
}
