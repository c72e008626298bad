"""Measures that need only weights, a loss or the history, and so are valid for every family."""
