"""The cells of a study as partitions, and the study with those that were added in the UI."""
