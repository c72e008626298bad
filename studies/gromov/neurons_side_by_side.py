#!/usr/bin/env python3
"""Neurons of a quadratic network beside those of a transformer that learned the same pairs.

    python studies/gromov/neurons_side_by_side.py STORE [QUADRATIC_KEY ADDITION_KEY]

Writes neurons_side_by_side.svg beside itself and prints a Markdown table. Both networks are read alike,
through the Fourier transform over Z_p x Z_p that the families share: of each neuron's activation over all
pairs (a, b), the shares of the variance at its strongest frequency k, in a and b together and in one of them
alone, and at 2k. (cos(w a + u) + cos(w b + v))², with w = 2 pi k / p, has 0.8 together, nothing alone and 0.2
at 2k.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tdw.compute import one_thread
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Heat, Points, Scale, Steps, share
from tdw.drawing.matplotlib.pen import svg
from tdw.drawing.style import COLORS, MAP_SCALE
from tdw.families import get_family
from tdw.families.zp_fourier import spectra
from tdw.notebook.variant import Variant
from tdw.store import Store

KEYS = ("p97_s0_d0", "p97_s0_d0_f0.5")
TARGET = Path(__file__).with_suffix(".svg")
NAMES, DRAWN = ("quadratic", "transformer"), 4
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Neurons:
    """The neurons of one network that vary; (n,) each.

    Attributes:
        title: of the network; epoch: of the checkpoint.
        maps: float32 (n, p, p), activation [neuron, a, b].
        frequency: strongest frequency k, 1..(p - 1) / 2.
        together, alone, at_double: shares of the map's variance: at k in a and b, a product of waves; at k in
            a or b alone; at 2k mod p, in either or both.
        variance: of the map.
    """

    title: str
    epoch: int
    maps: Float32
    frequency: npt.NDArray[np.int64]
    together: Float64
    alone: Float64
    at_double: Float64
    variance: Float64


def neurons(title: str, epoch: int, maps: Float32) -> Neurons:
    """What the transform says of activation maps; neurons that are constant are left out."""
    p = maps.shape[-1]
    found = spectra(maps)
    varies = found.varying > 0
    total, by_frequency = found.varying[varies], found.by_frequency()[varies]
    k = by_frequency.argmax(axis=1) + 1
    double = np.minimum(2 * k % p, -2 * k % p)
    rows = np.arange(len(k))
    product = found.energy[varies][rows, k, k]
    return Neurons(
        title=title,
        epoch=epoch,
        maps=maps[varies],
        frequency=k,
        together=product / total,
        alone=(by_frequency[rows, k - 1] - product) / total,
        at_double=by_frequency[rows, double - 1] / total,
        variance=found.variance[varies],
    )


def read(store: Store, family: str, key: str) -> Neurons:
    """The neurons at a variant's last checkpoint."""
    declared = get_family(family)
    variant = Variant(store, declared, declared.parse_variant(key))
    epochs = variant.epochs()
    if not epochs:
        sys.exit(f"{store.root} has no checkpoint of {key}: carry out studies/gromov and its addition.yaml")
    with one_thread():
        probed = declared.probe_pass(variant.config, variant.at(epochs[-1]).weights())
    if family == "quadratic_mlp":
        p = variant.config.p
        maps = np.ascontiguousarray(probed.hidden.numpy().T.reshape(-1, p, p))
    else:
        maps = probed.mlp_post
    return neurons(f"{declared.title}, {key}", epochs[-1], maps)


def chart(sides: tuple[Neurons, ...]) -> Chart:
    """A row per network: of four frequencies the neuron that varies most, and the shares of all neurons.

    Residues stand in the order of k x mod p, so that a wave of frequency k has one period along either axis.
    """
    panels: list[Panel] = []
    for row, (side, name) in enumerate(zip(sides, NAMES, strict=True)):
        by_variance = np.argsort(-side.variance, kind="stable")
        first = np.unique(side.frequency[by_variance], return_index=True)[1]
        for column, i in enumerate(by_variance[np.sort(first)[:DRAWN]]):
            values, k = side.maps[i] / side.maps[i].max(), int(side.frequency[i])
            order = np.argsort(k * np.arange(len(values)) % len(values), kind="stable")
            values = values[np.ix_(order, order)]
            panels.append(
                Panel(
                    [Heat(Steps(0, 1), Steps(0, 1), values, Scale("activation", 1, colors=MAP_SCALE))],
                    x=Axis("k b mod p"),
                    y=Axis("" if column else "k a mod p"),
                    title=f"{'' if column else name + ', '}k = {k}",
                    row=row,
                    column=column,
                )
            )
        shares = Points(side.together, side.alone, color=COLORS[row], size=3, opacity=0.5, legend=False)
        panels.append(
            Panel(
                [shares],
                x=share("at k in a and b", most=3),
                y=share("at k in one alone", most=3),
                title="share of variance",
                row=row,
                column=DRAWN,
            )
        )
    return Chart("", tuple(panels), widths=(1,) * DRAWN + (1.2,), gaps=(0.04, 0.12))


def table(sides: tuple[Neurons, ...]) -> str:
    """Both networks in numbers, as Markdown."""
    lines = [
        "| | " + " | ".join(side.title for side in sides) + " |",
        "|---" + "|---" * len(sides) + "|",
        "| optimizer steps | " + " | ".join(f"{side.epoch:,}" for side in sides) + " |",
        "| neurons that vary | " + " | ".join(str(len(side.frequency)) for side in sides) + " |",
        "| strongest frequencies, of neurons with half their variance there | "
        + " | ".join(str(len(set(side.frequency[side.together + side.alone > 0.5]))) for side in sides)
        + " |",
    ]
    for name, values in (
        ("at k in a and b", lambda side: side.together),
        ("at k in one alone", lambda side: side.alone),
        ("at 2k", lambda side: side.at_double),
    ):
        cells = [np.percentile(values(side), (50, 10, 90)) for side in sides]
        written = [f"{m:.3f} ({low:.3f} to {high:.3f})" for m, low, high in cells]
        lines.append(f"| share of variance {name}: median (p10 to p90) | " + " | ".join(written) + " |")
    return "\n".join(lines)


def main(root: str, quadratic: str = KEYS[0], addition: str = KEYS[1]) -> None:
    """Draw and print."""
    store = Store(root)
    sides = (
        read(store, "quadratic_mlp", quadratic),
        read(store, "modulo_addition_1layer", addition),
    )
    TARGET.write_bytes(svg(chart(sides), height=3.6))
    print(table(sides))
    print(f"\nwrote {TARGET}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
