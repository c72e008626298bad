"""From the artifacts of a variant's checkpoints to one table over epochs, neurons or heads.

Belongs here: reading a series with the invariant held, one module a table, the runner. Does not: what is
computed of one checkpoint (`tdw.analysis`), drawing (`tdw.plots`). Missing epochs are absent rows; nothing
is interpolated.
"""
