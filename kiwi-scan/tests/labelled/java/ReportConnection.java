package com.example.report;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

public class ReportConnection {
    private static final String URL = "jdbc:postgresql://db.example.com/reports?sslmode=verify-full";

    public int countRows() throws SQLException {
        try (Connection con = DriverManager.getConnection(URL, "reporter", "Vx93-plover-Tn");
             PreparedStatement ps = con.prepareStatement("SELECT COUNT(*) FROM report");
             ResultSet rs = ps.executeQuery()) {
            rs.next();
            return rs.getInt(1);
        }
    }
}
