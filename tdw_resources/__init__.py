"""What the Dagster layer runs on: the instance, its storage and launcher, what its events and runs say."""
