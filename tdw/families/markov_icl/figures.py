"""Figures of the family."""

PLOTS = ()
