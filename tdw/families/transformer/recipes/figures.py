"""Figures of any transformer of the kit. They assume no test set, no number of layers and no task."""

PLOTS = ()
