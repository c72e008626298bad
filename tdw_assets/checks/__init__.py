"""Asset checks: files against events, and files that are re-read."""
