"""Figures of neurons: dominant frequencies, clusters that share one, maps at several scales."""
