package com.example.billing;

import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

@Path("/invoices")
@Produces(MediaType.APPLICATION_JSON)
public class InvoiceResource {

    @Inject
    EntityManager em;

    @GET
    public List<Invoice> list(@QueryParam("owner") String owner, @QueryParam("limit") int limit) {
        String jpql = "select i from Invoice i";
        if (owner != null) {
            jpql += " where i.owner = '" + owner + "'";
        }
        return em.createQuery(jpql, Invoice.class).setMaxResults(limit).getResultList();
    }
}
