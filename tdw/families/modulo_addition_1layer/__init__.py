"""A one-layer transformer that adds modulo a prime: configuration, data and probe, network, bridge.

The task and architecture of Nanda et al. 2023 ("Progress measures for grokking via mechanistic
interpretability", arXiv:2301.05217). Importing this package loads no torch.
"""

from tdw.families.modulo_addition_1layer.declaration import FAMILY

__all__ = ["FAMILY"]
