"""The definitions of A6 and A8 written out plainly, on numpy.fft and torch, for the tests to compare with."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch


def shifted_power(image):
    return np.abs(np.fft.fftshift(np.fft.fft2(image.astype(np.float64)))) ** 2


def fft_ratio(image, *, fraction=0.125, no_dc=False):
    p = image.shape[0]
    power = shifted_power(image)
    if no_dc:
        power[p // 2, p // 2] = 0
    y, x = np.ogrid[:p, :p]
    low = (y - p // 2) ** 2 + (x - p // 2) ** 2 <= int(fraction * p) ** 2
    return power[low].sum() / power.sum() if power.sum() > 0 else 0.0


def interpolate(image, size):
    tensor = torch.from_numpy(image.astype(np.float64))[None, None]
    return torch.nn.functional.interpolate(tensor, size=(size, size), mode="bilinear", align_corners=False)


def variance_preserved(image, *, bottleneck=14):
    p = image.shape[0]
    back = interpolate(interpolate(image, bottleneck)[0, 0].numpy(), p)[0, 0].numpy()
    before = image.astype(np.float64).var()
    return back.var() / before if before > 0 else 0.0


def gradient(image):
    wide = image.astype(np.float64)
    return (np.abs(np.diff(wide, axis=0)).mean() + np.abs(np.diff(wide, axis=1)).mean()) / 2


def eight_terms(p, k):
    x = 2 * np.pi * k * np.arange(p) / p
    along = [np.ones(p), np.cos(x), np.sin(x)]
    terms = [np.outer(u, v) for u in along for v in along][1:]
    return [term / np.linalg.norm(term) for term in terms]


def fractions(image):
    """Fraction of the variance explained by each frequency 1..(p-1)/2."""
    p = image.shape[0]
    wide = image.astype(np.float64)
    variance = ((wide - wide.mean()) ** 2).sum()
    explained = [sum((term * wide).sum() ** 2 for term in eight_terms(p, k)) for k in range(1, p // 2 + 1)]
    return np.array(explained) / variance if variance > 0 else np.zeros(p // 2)


@pytest.fixture(scope="session")
def plain():
    """The plain definitions, as a session fixture so that property tests may use it."""
    return SimpleNamespace(
        fft_ratio=fft_ratio,
        interpolate=interpolate,
        variance_preserved=variance_preserved,
        gradient=gradient,
        fractions=fractions,
    )
