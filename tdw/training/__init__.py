"""Training: schedules, the loop, replay from saved states, history.

Belongs here: how checkpoints come about, and come about again with the same bits. Does not: what is trained
(a family's objective) or where files are (the store). Importing this package loads no torch.
"""

from tdw.epochs import format_epochs, parse_epochs

__all__ = ["format_epochs", "parse_epochs"]
