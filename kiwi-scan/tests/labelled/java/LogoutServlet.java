package com.example.login;

import java.io.IOException;
import java.util.List;
import javax.servlet.ServletException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/logout")
public class LogoutServlet extends HttpServlet {
    private static final List<String> TARGETS = List.of("/home", "/shop", "/help");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        request.logout();
        String target = request.getParameter("target");
        if (!TARGETS.contains(String.valueOf(target))) {
            target = "/home";
        }
        response.sendRedirect(request.getContextPath() + target);
    }
}
