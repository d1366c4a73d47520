package com.example.session;

import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import javax.servlet.ServletException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/state/import")
public class StateImport extends HttpServlet {
    private static final ObjectInputFilter FILTER = ObjectInputFilter.Config.createFilter(
            "com.example.session.PageState;maxdepth=3;maxbytes=4096;!*");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        try (ObjectInputStream in = new ObjectInputStream(request.getInputStream())) {
            in.setObjectInputFilter(FILTER);
            PageState state = (PageState) in.readObject();
            request.getSession().setAttribute("page", state.getPage());
        } catch (ClassNotFoundException e) {
            throw new ServletException(e);
        }
        response.setStatus(HttpServletResponse.SC_NO_CONTENT);
    }
}
