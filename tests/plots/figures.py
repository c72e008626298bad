"""What the tests of figures share: the variants of the store, and ways to look into a figure."""

from __future__ import annotations

from typing import Any

from synthetic import FAMILY

from tdw.drawing.plotly.pen import figure
from tdw.drawing.style import looks, short_labels
from tdw.recipes.reading.reader import Sources, VariantReader
from tdw.store import Store

EPOCHS = (0, 100, 200, 300, 400, 500, 1000, 1500, 2000, 2500, 3000)
KEYS = ("p13_s485_d598", "p13_s999_d598", "p17_s999_d598")
MISSING = (300, 1500, 2000)


def sources(store: Store, *variants: str, scheduled: tuple[int, ...] | None = EPOCHS) -> Sources:
    look, labels = looks(list(dict.fromkeys((*KEYS, *variants)))), short_labels(variants)
    return Sources(
        tuple(
            VariantReader(
                store, FAMILY.name, variant=key, label=labels[key], look=look[key], scheduled=scheduled
            )
            for key in variants
        )
    )


def interactive(module: Any, data: Any) -> Any:
    """The interactive figure of a module's chart."""
    return figure(module.chart(data))


def axis_title(figure: Any, name: str) -> str:
    return figure.layout[name].title.text


def traces(figure: Any, **wanted: Any) -> list[Any]:
    return [t for t in figure.data if all(getattr(t, k) == v for k, v in wanted.items())]
