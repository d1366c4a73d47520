package com.example.spool;

import java.io.File;
import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;

public class ReportSpool {

    public File spool(long reportId, String content) throws IOException {
        File file = new File(System.getProperty("java.io.tmpdir"), "report-" + reportId + ".csv");
        try (Writer writer = new FileWriter(file)) {
            writer.write(content);
        }
        return file;
    }
}
