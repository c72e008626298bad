"""A11: the coarseness of pure waves, by frequency: what a neuron of one frequency can reach at a modulus.

A wave along one axis of frequency k has all its energy at k, so its coarseness (A8) is 1 when k is at most
the radius r = int(radius_fraction p) and 0 beyond; a wave of the sum lies at (k, k), so it is 1 when
2 k² <= r². A ReLU adds harmonics at 2k, 4k, ... mod p, of which some are low whatever k is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tdw.families.modulo_addition_1layer.maths.coarseness import scale_metrics as metrics
from tdw.families.zp_fourier import Float32, Float64, require_odd, spectra

if TYPE_CHECKING:
    import pandas as pd

WAVES = ("cos", "sin")
SHAPES = ("along_a", "along_b", "of_sum", "of_both")


def wave_maps(p: int, wave: str, shape: str) -> Float64:
    """Maps over (a, b) of one wave at every frequency 1..h: float64 (h, p, p).

    Args:
        p: the modulus, odd.
        wave: "cos" or "sin".
        shape: "along_a" is f(w_k a), "along_b" f(w_k b), "of_sum" f(w_k (a + b)), "of_both"
            f(w_k a) + f(w_k b), which is what a neuron of one frequency reads from the embedding.
    """
    k, x = np.arange(1, require_odd(p) + 1), np.arange(p)
    values = {"cos": np.cos, "sin": np.sin}[wave](2 * np.pi / p * (np.outer(k, x) % p))
    along_a = np.broadcast_to(values[:, :, None], (len(k), p, p))
    along_b = np.broadcast_to(values[:, None, :], (len(k), p, p))
    of_sum = values[:, (x[:, None] + x) % p]
    return {"along_a": along_a, "along_b": along_b, "of_sum": of_sum, "of_both": along_a + along_b}[shape]


def reference_line(p: int, *, radius_fraction: float = 0.125) -> pd.DataFrame:
    """Coarseness of pure waves and of their ReLU.

    Args:
        p: the modulus, odd.
        radius_fraction: of the low disc, as in the parameters of `coarseness`.

    Returns:
        One row per frequency, wave, shape and relu: p, frequency (1..(p-1)/2), wave ("cos", "sin"), shape
        (see `wave_maps`), relu (bool), coarseness (0-1).

    Raises:
        BadConfig: p is even or below 3.
    """
    import pandas as pd

    frequencies = np.arange(1, require_odd(p) + 1)
    tables: list[pd.DataFrame] = []
    for wave in WAVES:
        for shape in SHAPES:
            maps = wave_maps(p, wave, shape)
            for relu in (False, True):
                columns = {
                    "p": p,
                    "frequency": frequencies,
                    "wave": wave,
                    "shape": shape,
                    "relu": relu,
                    "coarseness": coarseness_of(np.maximum(maps, 0) if relu else maps, radius_fraction),
                }
                tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def coarseness_of(maps: Float32 | Float64, radius_fraction: float = 0.125) -> Float64:
    """Coarseness (A8's `fft_ratio_no_dc`) of maps (n, p, p): float64 (n,)."""
    small = np.ascontiguousarray(maps, np.float32)
    return metrics.fft_ratio_no_dc(spectra(small), radius_fraction=radius_fraction)
