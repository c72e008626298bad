"""The runs of an instance: which are ours, whose worker lives, how far each is."""
