package com.example.media;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/convert")
public class ConvertServlet extends HttpServlet {

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        int id = Integer.parseInt(request.getParameter("id"));
        String format = request.getParameter("format");
        List<String> args = new ArrayList<>();
        args.add("bash");
        args.add("-c");
        args.add("ffmpeg -i /media/in/" + id + ".mov /media/out/" + id + "." + format);
        ProcessBuilder builder = new ProcessBuilder(args);
        builder.inheritIO();
        builder.start();
        response.setStatus(HttpServletResponse.SC_ACCEPTED);
    }
}
