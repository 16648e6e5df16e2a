"""What is wrong with dependencies that change: one file per question, each gives findings."""
