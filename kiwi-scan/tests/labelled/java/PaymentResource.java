package com.example.billing;

import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

@Path("/payments")
@Produces(MediaType.APPLICATION_JSON)
public class PaymentResource {

    @Inject
    EntityManager em;

    @GET
    public List<Payment> list(@QueryParam("owner") String owner, @QueryParam("limit") int limit) {
        String jpql = "select p from Payment p";
        if (owner != null) {
            long ownerId = Long.parseLong(owner);
            jpql += " where p.ownerId = " + ownerId;
        }
        return em.createQuery(jpql, Payment.class).setMaxResults(Math.min(limit, 100)).getResultList();
    }
}
