package com.example.audit;

import java.io.IOException;
import java.util.logging.Logger;
import javax.servlet.ServletException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/access")
public class AccessServlet extends HttpServlet {
    private static final Logger LOG = Logger.getLogger("access");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String user = String.valueOf(request.getParameter("user"));
        try {
            request.login(user, request.getParameter("password"));
            response.setStatus(HttpServletResponse.SC_NO_CONTENT);
        } catch (ServletException e) {
            LOG.warning("login failed for user " + user.replaceAll("[^A-Za-z0-9@._-]", "_"));
            response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
        }
    }
}
