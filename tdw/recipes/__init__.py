"""Recipes: what can be made from checkpoints and histories."""
