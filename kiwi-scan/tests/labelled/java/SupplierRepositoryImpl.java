package com.example.crm;

import java.util.List;
import javax.persistence.EntityManager;
import javax.persistence.PersistenceContext;
import javax.persistence.Query;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class SupplierRepositoryImpl {

    @PersistenceContext
    private EntityManager em;

    @GetMapping("/suppliers")
    @SuppressWarnings("unchecked")
    public List<Supplier> byEmail(@RequestParam String email, @RequestParam(defaultValue = "0") int page) {
        StringBuilder sql = new StringBuilder("SELECT * FROM supplier s WHERE 1 = 1");
        if (!email.isEmpty()) {
            sql.append(" AND s.email LIKE :email");
        }
        Query query = em.createNativeQuery(sql.toString(), Supplier.class);
        if (!email.isEmpty()) {
            query.setParameter("email", "%" + email + "%");
        }
        return query.setFirstResult(page * 20).setMaxResults(20).getResultList();
    }
}
