"""Indirect object identification in symbols: of two names and one of them again, say the other one.

Task and claims: arXiv:2510.25013. It is the logic of indirect object identification, not GPT-2's circuit for
it. Importing this package loads no torch.
"""

from tdw.families.symbolic_ioi.config import Config
from tdw.families.symbolic_ioi.declaration import FAMILY

__all__ = ["FAMILY", "Config"]
