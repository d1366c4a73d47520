package com.example.otp;

import java.util.List;
import java.util.Random;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

public class RetryScheduler {
    private static final List<String> TIPS = List.of("Use the search", "Press F1 for help", "Try dark mode");
    private final ScheduledExecutorService executor;
    private final Random random = new Random();

    public RetryScheduler(ScheduledExecutorService executor) {
        this.executor = executor;
    }

    public void retry(Runnable task, int attempt) {
        long delay = (1L << Math.min(attempt, 6)) * 100 + ThreadLocalRandom.current().nextInt(100);
        executor.schedule(task, delay, TimeUnit.MILLISECONDS);
    }

    public String tip() {
        return TIPS.get(random.nextInt(TIPS.size()));
    }
}
