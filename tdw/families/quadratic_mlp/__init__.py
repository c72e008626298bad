"""A two-layer network with quadratic activation that learns (a + b) mod p, by a solution that is known.

Gromov 2023, "Grokking modular arithmetic", arXiv:2301.02679. Not a transformer. Importing this package loads
no torch.
"""

from tdw.families.quadratic_mlp.config import Config
from tdw.families.quadratic_mlp.declaration import FAMILY

__all__ = ["FAMILY", "Config"]
