package com.example.reports;

import java.util.List;
import java.util.Map;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class SalesDao {
    private final JdbcTemplate jdbc;

    SalesDao(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    @GetMapping("/sales/{year}")
    List<Map<String, Object>> rows(@PathVariable int year, @RequestParam(defaultValue = "region") String sort) {
        String column;
        switch (sort) {
            case "total":
                column = "total DESC";
                break;
            default:
                column = "region";
        }
        String sql = String.format(
                "SELECT region, SUM(amount) AS total FROM sales WHERE year = ? GROUP BY region ORDER BY %s", column);
        return jdbc.queryForList(sql, year);
    }
}
