"""The kit: any small decoder-only transformer from a configuration, in plain PyTorch.

Belongs here: what every such transformer shares (configuration, cost, initialization, network, loss,
TransformerLens bridge, measures). Does not: the data of a task, which a family brings. Importing
this package loads no torch.
"""

from tdw.families.transformer.config import TransformerConfig

__all__ = ["TransformerConfig"]
