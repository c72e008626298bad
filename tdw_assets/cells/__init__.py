"""The cells of a study: keys, partitions, and what is missing among them."""
