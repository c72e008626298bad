"""What pages read from the store: caches, coverage, slices of artifacts, reduced maps."""
