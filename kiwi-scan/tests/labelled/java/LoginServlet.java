package com.example.login;

import java.io.IOException;
import javax.servlet.ServletException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/login")
public class LoginServlet extends HttpServlet {

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        request.login(request.getParameter("user"), request.getParameter("password"));
        request.changeSessionId();
        String target = request.getParameter("target");
        if (target == null || target.isEmpty()) {
            target = request.getContextPath() + "/home";
        }
        response.sendRedirect(target);
    }
}
