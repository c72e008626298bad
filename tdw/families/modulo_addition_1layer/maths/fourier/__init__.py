"""Fourier analysis over Z_p of weights, circuits and logits."""
