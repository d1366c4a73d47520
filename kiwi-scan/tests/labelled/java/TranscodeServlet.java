package com.example.media;

import java.io.IOException;
import java.util.Set;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

@WebServlet("/transcode")
public class TranscodeServlet extends HttpServlet {
    private static final Set<String> FORMATS = Set.of("mp4", "webm", "ogv");

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        int id = Integer.parseInt(request.getParameter("id"));
        String format = request.getParameter("format");
        if (format == null || !FORMATS.contains(format)) {
            response.sendError(HttpServletResponse.SC_BAD_REQUEST, "unknown format");
            return;
        }
        ProcessBuilder builder = new ProcessBuilder(
                "ffmpeg", "-i", "/media/in/" + id + ".mov", "/media/out/" + id + "." + format);
        builder.inheritIO();
        builder.start();
        response.setStatus(HttpServletResponse.SC_ACCEPTED);
    }
}
