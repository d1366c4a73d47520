package com.example.profile;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

@Path("/labels")
public class BadgeTextResource {

    @GET
    @Path("{nick}.txt")
    public Response text(@PathParam("nick") String nick) {
        return Response.ok("label for " + nick, MediaType.TEXT_PLAIN)
                .header("X-Content-Type-Options", "nosniff")
                .build();
    }

    @GET
    @Path("{width}/frame")
    public Response frame(@PathParam("width") int width) {
        String html = "<html><body><hr style='width:" + width + "px'></body></html>";
        return Response.ok(html, MediaType.TEXT_HTML).build();
    }
}
