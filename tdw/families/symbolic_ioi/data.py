"""All sequences of the task: what is trained on and probed."""

from __future__ import annotations

from itertools import permutations

import torch

from tdw.families.symbolic_ioi.config import Config
from tdw.families.transformer.objective import Batch


def sequences(config: Config) -> Batch:
    """Every `<BOS> A B S <MID>` with A and B different and S one of them: 60 for six names.

    Names are the tokens 0..n - 1, <BOS> is n and <MID> n + 1. The target at the last position is the name
    that is not repeated; the other positions, which the loss does not read, have the same.
    """
    n = config.n_names
    rows = [(n, a, b, s, n + 1) for a, b in permutations(range(n), 2) for s in (a, b)]
    tokens = torch.tensor(rows)
    answers = tokens[:, 1] + tokens[:, 2] - tokens[:, 3]
    return Batch(tokens, answers[:, None].expand_as(tokens).contiguous())
