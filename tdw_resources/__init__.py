"""What the Dagster layer runs on: the instance, its storage and launcher, and where everything is."""
