"""The runs of an instance: which are ours and what for, whose worker lives, how far each is, what was stopped."""
