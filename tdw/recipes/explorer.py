"""What a family declares of its explorer: a page over checkpoints, and the slices its scripts ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tdw.recipes.reading.slices import Slice, SliceQuery
from tdw.store import Store

RESERVED = ("explorer", "outdated")
"""Addresses of the server itself, which no slice can have."""


@dataclass(frozen=True)
class SliceRecipe:
    """One kind of slice, served at `/tdw/api/<name>/<family>/<variant>`.

    Attributes:
        read: reads the arrays; may raise BadConfig, such as for an answer that is too large (`require_size`).
        needs: the analyzers whose artifacts it reads. At least one of them must have some.
        indices: query parameters that list rows: name -> (a length of the family, how many at most).
        numbers: query parameters that are one number: name -> (lowest, highest).
        one_epoch: the address ends with the epoch; otherwise the whole series is read.
        kept: the server keeps the answer for the next one who asks.
        by_epoch: epochs whose arrays are kept on demand are left out of the series, and asked for one by one:
            with the query parameter `at`, the series is that epoch alone. Otherwise all of them are computed.
    """

    read: Callable[[SliceQuery], Slice]
    needs: tuple[str, ...]
    indices: Mapping[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    numbers: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    one_epoch: bool = False
    kept: bool = False
    by_epoch: bool = False


@dataclass(frozen=True)
class MapView:
    """Maps over checkpoints that a dashboard shows, drawn from one of the slices.

    Attributes:
        name, title: "neurons"; the title is of a panel.
        slice: has `codes` uint8 (n, ..., E, side, side), `low` and `scale` (n, ..., E) and `epochs` (E,).
        index: the parameter of the slice that chooses the n maps; `first` are those at first.
        label: of one map, with "{i}" for its index.
        numbers: further parameters of the slice; maps that are reduced keep a dashboard light.
        parts: what each map of an index is called where there are several, the dots above; () for one.
        unit: of the values.
        down, right: what runs along the sides of a map.
    """

    name: str
    title: str
    slice: str
    index: str
    first: tuple[int, ...]
    label: str
    unit: str
    down: str
    right: str
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Explorer:
    """A page on which a person looks at one variant across checkpoints, `/tdw/explorer/<family>/<variant>`.

    Attributes:
        title: of the page, and of the links that lead to it.
        folder: holds `page.html`, a Jinja template that extends `explorer.html`, the module `main.js`, and
            whatever these load. Scripts and styles (.js, .css, .svg) are served below `own` of the template;
            the shared modules are `../../explorer/*.js` from there.
        slices: by name.
        views: what of it dashboards can show.
        marks: (store, key of a variant) -> words -> an epoch that the slider marks.
    """

    title: str
    folder: Path
    slices: Mapping[str, SliceRecipe]
    marks: Callable[[Store, str], Mapping[str, int]] = lambda _store, _variant: {}
    views: tuple[MapView, ...] = ()

    @property
    def analyzers(self) -> tuple[str, ...]:
        """The analyzers whose artifacts it shows."""
        return tuple(dict.fromkeys(name for recipe in self.slices.values() for name in recipe.needs))
