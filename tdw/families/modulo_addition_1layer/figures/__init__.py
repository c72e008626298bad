"""Figures of modular addition: one module per figure, and what several of them share."""
