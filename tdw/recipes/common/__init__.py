"""Recipes that are valid for every family: they read the training history alone."""
