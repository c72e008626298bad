"""The cells of a study: the keys of their assets, and their partitions."""
