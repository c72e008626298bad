"""From (weights, activations on the probe) to named arrays: the analyzers, and the runner that shares one
pass.

Belongs here: the Fourier basis of Z_p, one module an analyzer, their registry, the runner. Does not: series
over checkpoints (`tdw.summaries`), drawing (`tdw.plots`), how activations are computed (`tdw.families`).
"""
