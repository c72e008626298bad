"""Analyses A3-A9 of a checkpoint from their definitions: TransformerLens, numpy.fft and torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def straightforward(bridge: Any, weights: dict[str, Any], folder: Path, *, p: int) -> dict[str, float]:
    """Every array of A3-A9 from its definition: CPU seconds by step.

    Args:
        bridge: the network in TransformerLens.
        weights: its tensors.
        folder: where the arrays are written.
        p: the modulus.
    """
    import torch

    seconds: dict[str, float] = {}
    grid = np.indices((p, p)).reshape(2, -1)
    tokens = torch.from_numpy(np.stack([*grid, np.full(p * p, p)], axis=1))

    def timed(name: str, function: Callable[[], Any]) -> Any:
        started = time.process_time()
        result = function()
        seconds[name] = seconds.get(name, 0.0) + time.process_time() - started
        return result

    def forward() -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            _, cache = bridge.run_with_cache(tokens)
        post = cache["blocks.0.mlp.hook_post"][:, -1]
        pattern = cache["blocks.0.attn.hook_pattern"][:, :, -1]
        return post.T.reshape(-1, p, p).numpy(), pattern.permute(1, 2, 0).reshape(-1, 3, p, p).numpy()

    maps, attention = timed("run_with_cache", forward)
    basis = timed("dominant_frequencies", lambda: _basis(p))
    embedding = weights["embed.W_E"][:p].numpy()
    dominant = timed("dominant_frequencies", lambda: np.linalg.norm(basis @ embedding, axis=1))
    fractions = timed("neuron_frequencies", lambda: np.stack([_fractions(image, basis) for image in maps]))
    small = timed(
        "downsampled_activations",
        lambda: [_interpolate(m, 28) for m in (maps, attention[:, 0], attention[:, 1])],
    )
    scales = timed(
        "coarseness",
        lambda: {
            name: np.array([_scales(image, share) for image, share in zip(images, shares, strict=True)])
            for name, images, shares in (
                ("neuron", maps, fractions),
                ("head_a", attention[:, 0], [_fractions(m, basis) for m in attention[:, 0]]),
                ("head_b", attention[:, 1], [_fractions(m, basis) for m in attention[:, 1]]),
            )
        },
    )
    values = scales["neuron"][:, 1]
    stats = timed(
        "coarseness_stats",
        lambda: [
            values.mean(),
            values.std(),
            *np.percentile(values, (0, 25, 50, 75, 100)),
            *np.histogram(values, 20),
        ],
    )
    for name, arrays in (
        ("neuron_activations", {"maps": maps}),
        ("attention_patterns", {"patterns": attention}),
        ("dominant_frequencies", {"norms": dominant}),
        ("neuron_frequencies", {"fractions": fractions}),
        ("downsampled_activations", dict(zip("nab", small, strict=True))),
        ("coarseness", scales),
        ("coarseness_stats", {str(i): np.asarray(value) for i, value in enumerate(stats)}),
    ):
        timed("savez_compressed", lambda n=name, a=arrays: np.savez_compressed(folder / f"{n}.npz", **a))
    return seconds


def _basis(p: int) -> np.ndarray:
    rows = [np.ones(p)]
    for k in range(1, p // 2 + 1):
        rows += [np.cos(2 * np.pi * k * np.arange(p) / p), np.sin(2 * np.pi * k * np.arange(p) / p)]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def _fractions(image: np.ndarray, basis: np.ndarray) -> np.ndarray:
    squares = (basis @ image @ basis.T) ** 2
    squares[0, 0] = 0
    total = squares.sum()
    found = np.zeros(len(basis) // 2)
    for k in range(1, len(basis) // 2 + 1):
        pair = [0, 2 * k - 1, 2 * k]
        found[k - 1] = squares[np.ix_(pair, pair)].sum()
    return found / total if total > 0 else found


def _interpolate(maps: np.ndarray, size: int) -> np.ndarray:
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(maps))[:, None]
    return torch.nn.functional.interpolate(tensor, size=(size, size), mode="bilinear", align_corners=False)[
        :, 0
    ].numpy()


def _scales(image: np.ndarray, fractions: np.ndarray) -> list[float]:
    p = image.shape[0]
    power = np.abs(np.fft.fftshift(np.fft.fft2(image))) ** 2
    y, x = np.ogrid[:p, :p]
    low = (y - p // 2) ** 2 + (x - p // 2) ** 2 <= int(0.125 * p) ** 2
    ratio = power[low].sum() / power.sum() if power.sum() > 0 else 0.0
    power[p // 2, p // 2] = 0
    no_dc = power[low].sum() / power.sum() if power.sum() > 0 else 0.0
    variance = image.var()
    back = _interpolate(_interpolate(image[None], 14), p)[0]
    gradient = (np.abs(np.diff(image, axis=0)).mean() + np.abs(np.diff(image, axis=1)).mean()) / 2
    return [ratio, no_dc, back.var() / variance if variance > 0 else 0.0, gradient, fractions[:3].sum()]
