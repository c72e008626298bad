"""How weights follow their gradients: settings that a configuration carries, and the optimizers themselves.

Importing this package loads no torch.
"""

from tdw.optimizers.config import Name, OptimizerConfig

__all__ = ["Name", "OptimizerConfig"]
