"""A16: the path of the weights through training along its principal components, and its speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing.chart import Chart, Choice, Option, Panel, sentences
from tdw.drawing.marks import Axis, Line, Points
from tdw.drawing.style import COLORS
from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.common.trajectory import Trajectory, trajectories
from tdw.recipes.figure import NoParameters, Plot
from tdw.store.layout import CHECKPOINTS

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_ATTENTION = tuple(f"blocks.0.attn.W_{letter}" for letter in "QKVO")
_MLP = ("blocks.0.mlp.W_in", "blocks.0.mlp.b_in", "blocks.0.mlp.W_out", "blocks.0.mlp.b_out")
_EMBEDDINGS = ("embed.W_E", "pos_embed.W_pos", "unembed.W_U")
_HOVER = "epoch {detail:,d}"
GROUPS = {
    "all weights": (*_EMBEDDINGS, *_ATTENTION, *_MLP),
    "embeddings": _EMBEDDINGS,
    "attention": _ATTENTION,
    "MLP": _MLP,
}


@dataclass(frozen=True)
class Data:
    """One variant; `paths` holds a trajectory per group of weights."""

    subject: subject.Subject
    epochs: tuple[int, ...]
    paths: dict[str, Trajectory]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The weights of every checkpoint."""
    reader = sources.only
    epochs = tuple(reader.checkpoints)
    if len(epochs) < 2:
        raise NotFound(f"{reader.variant} has {len(epochs)} checkpoints", "a trajectory needs at least two")
    weights = [reader.artifact(CHECKPOINTS, epoch) for epoch in epochs]
    paths = trajectories(lambda index, name: weights[index][name], epochs, groups=GROUPS, components=2)
    return Data(subject.load(reader, epochs), epochs, paths)


def chart(data: Data) -> Chart:
    """The path in its plane, and the speed below."""
    at = np.array(data.epochs)
    plane: list[Line | Points] = []
    speed: list[Line] = []
    for color, (group, path) in zip(COLORS, data.paths.items(), strict=False):
        x, y = path.coordinates[:, 0], _second(path)
        where = [0, len(at) - 1]
        plane += [
            Line(x, y, name=group, color=color, tag=group, symbol="circle", hover=None, legend=False),
            Points(x, y, name=group, color=color, tag=group, detail=at, hover=_HOVER, legend=False),
            Points(
                x[where], y[where], name=group, color=color, size=10, tag=group, legend=False, hover=None,
                texts=("first", "last"),
            ),
        ]  # fmt: skip
        speed.append(Line(at[1:], path.velocity, name=group, color=color, symbol="circle"))
    shares = data.paths["all weights"].variance_shares
    return Chart(
        f"Path of the weights · {data.subject.label}",
        (
            Panel(
                plane,
                x=Axis("first component", "units of weights", form=".3~g"),
                y=Axis("second component", form=".3~g"),
            ),
            Panel(
                speed,
                y=Axis("speed", "per epoch", log=True, form=".3~g"),
                rules=data.subject.rules,
                column=1,
                small=False,
            ),
        ),
        subtitle=sentences(
            f"two components hold {shares[:2].sum():.0%} of the variance of all weights", data.subject.text
        ),
        choices=(Choice(tuple(Option(group, (group,)) for group in data.paths)),),
        widths=(1, 1),
        gaps=(0.1, 0.06),
        unified=False,
    )


def _second(path: Trajectory) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The second coordinate; two checkpoints lie on a line."""
    return path.coordinates[:, 1] if path.coordinates.shape[1] > 1 else np.zeros(len(path.coordinates))


def table(data: Data) -> pd.DataFrame:
    """Columns variant, group, epoch, component_1, component_2, norm, velocity (empty at the first epoch)."""
    import pandas as pd

    return pd.concat(
        [
            pd.DataFrame(
                {
                    "variant": data.subject.variant,
                    "group": group,
                    "epoch": data.epochs,
                    "component_1": path.coordinates[:, 0],
                    "component_2": _second(path),
                    "norm": path.norm,
                    "velocity": np.concatenate([[np.nan], path.velocity]),
                }
            )
            for group, path in data.paths.items()
        ],
        ignore_index=True,
    )


PLOT = Plot(
    name="trajectory",
    title="Path of the weights",
    description="""\
The flattened weights of every checkpoint on the first two principal components of their path (centered over
checkpoints), for all weights and for groups of them; and the speed, the distance between successive
checkpoints over the epochs between them: a mean, and a lower bound of the length of the path per epoch.

**How to read it.** Checkpoints need not be evenly spaced, so the path leans toward where they are dense.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("checkpoints",),
    uses=("summaries/grokking",),
)
