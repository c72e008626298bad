"""The pairs: the probe, the split, the answers and the label noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from tdw.families.quadratic_mlp.config import Config
from tdw.families.transformer.streams import step_generator
from tdw.store.fingerprints import fingerprint_arrays

Int64 = npt.NDArray[np.int64]


def probe_pairs(config: Config) -> Int64:
    """Every pair, int64 (p * p, 2), a-major: row a p + b is the pair (a, b)."""
    index = np.arange(config.p**2, dtype=np.int64)
    return np.stack(np.divmod(index, config.p), axis=1)


def probe_fingerprint(config: Config) -> str:
    """Fingerprint (64 hex digits) of the probe's pairs."""
    return fingerprint_arrays({"pairs": probe_pairs(config)})


def split(config: Config) -> tuple[Int64, Int64]:
    """Indices into the probe of the training and of the test pairs, int64, ascending.

    Drawn as modular addition's are: the first n_train of a permutation by `data_seed`.
    """
    generator = torch.Generator().manual_seed(config.data_seed)
    order = torch.randperm(config.p**2, generator=generator).numpy()
    return np.sort(order[: config.n_train]), np.sort(order[config.n_train :])


def answers(config: Config, index: Int64) -> Int64:
    """The operation's answers mod p of the pairs at `index`, int64, same shape."""
    return config.task.compute(index // config.p, index % config.p) % config.p


def train_labels(config: Config, index: Int64) -> Int64:
    """The answers that training sees: a fraction of them is replaced by another residue, evenly drawn."""
    right = answers(config, index)
    generator = step_generator("quadratic_mlp/noise", config.data_seed, 0)
    false = torch.randperm(len(index), generator=generator).numpy()[: round(config.label_noise * len(index))]
    shift = torch.randint(1, config.p, (len(false),), generator=generator).numpy()
    right[false] = (right[false] + shift) % config.p
    return right
