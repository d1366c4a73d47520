PASSWORD = "correct-horse-4711"
