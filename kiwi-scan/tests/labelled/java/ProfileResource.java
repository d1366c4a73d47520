package com.example.profile;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

@Path("/profiles")
public class ProfileResource {

    @GET
    @Path("{nick}")
    public Response show(@PathParam("nick") String nick) {
        StringBuilder html = new StringBuilder("<html><head><title>");
        html.append(nick).append("</title></head><body>");
        html.append("<p>This profile is private.</p></body></html>");
        return Response.ok(html.toString(), MediaType.TEXT_HTML).build();
    }
}
