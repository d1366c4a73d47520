package com.example.crm;

import java.util.List;
import javax.persistence.EntityManager;
import javax.persistence.PersistenceContext;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class CustomerRepositoryImpl {

    @PersistenceContext
    private EntityManager em;

    @GetMapping("/customers")
    public List<Customer> byEmail(@RequestParam String email, @RequestParam(defaultValue = "0") int page) {
        return find(email.trim(), page);
    }

    @SuppressWarnings("unchecked")
    private List<Customer> find(String email, int page) {
        StringBuilder sql = new StringBuilder("SELECT * FROM customer c WHERE 1 = 1");
        if (!email.isEmpty()) {
            sql.append(" AND c.email LIKE '%").append(email).append("%'");
        }
        return em.createNativeQuery(sql.toString(), Customer.class)
                .setFirstResult(page * 20)
                .setMaxResults(20)
                .getResultList();
    }
}
