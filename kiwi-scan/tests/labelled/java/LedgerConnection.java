package com.example.report;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

public class LedgerConnection {
    private static final String URL = "jdbc:postgresql://db.example.com/ledger?sslmode=verify-full";
    private static final String PASSWORD_VARIABLE = "LEDGER_DB_PASSWORD";

    public int countRows() throws SQLException {
        String password = System.getenv(PASSWORD_VARIABLE);
        try (Connection con = DriverManager.getConnection(URL, System.getenv("LEDGER_DB_USER"), password);
             PreparedStatement ps = con.prepareStatement("SELECT COUNT(*) FROM ledger");
             ResultSet rs = ps.executeQuery()) {
            rs.next();
            return rs.getInt(1);
        }
    }
}
