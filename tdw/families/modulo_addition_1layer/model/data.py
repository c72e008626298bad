"""The pairs: the probe, the split into training and test pairs, and their answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model.probe_types import ProbeLabels
from tdw.store.fingerprints import fingerprint_arrays

Indices = npt.NDArray[np.int64]


def probe_tokens(config: Config) -> Indices:
    """Tokens [a, b, =] of every pair, int64 (p * p, 3), a-major: row a p + b is the pair (a, b)."""
    p = config.p
    index = np.arange(p * p, dtype=np.int64)
    return np.stack([index // p, index % p, np.full_like(index, p)], axis=1)


def probe_fingerprint(config: Config) -> str:
    """Fingerprint (64 hex digits) of the probe's tokens."""
    return fingerprint_arrays({"tokens": probe_tokens(config)})


def split(config: Config) -> tuple[Indices, Indices]:
    """Indices into the probe of the training and of the test pairs, int64, in the order they are drawn.

    The same as `torch.manual_seed(data_seed); torch.randperm(p * p)`, without touching the global generator.
    """
    import torch

    generator = torch.Generator().manual_seed(config.data_seed)
    order = torch.randperm(config.p**2, generator=generator).numpy()
    return order[: config.n_train], order[config.n_train :]


def labels(config: Config, index: Indices) -> Indices:
    """The answers to the pairs at `index`, such as (a + b) mod p: int64, same shape."""
    return config.task.compute(index // config.p, index % config.p) % config.p


def probe_labels(config: Config) -> ProbeLabels:
    """Answers of every pair of the probe, and whether the pair trains."""
    train = np.zeros(config.p**2, np.bool_)
    train[split(config)[0]] = True
    return ProbeLabels(labels(config, np.arange(config.p**2, dtype=np.int64)), train)
