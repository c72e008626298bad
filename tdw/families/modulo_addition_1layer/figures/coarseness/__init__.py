"""Figures of coarseness: its mean, its distribution, blobs, every neuron, the first epochs."""
