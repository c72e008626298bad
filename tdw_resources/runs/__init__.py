"""The runs of an instance: what each is for, whose worker lives, how far it is, what a person stopped."""
