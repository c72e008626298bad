"""What the Dagster layer runs on: the instance, its storage and launcher, and what its events and runs say."""
