"""How results show themselves in a notebook: small HTML, every text in it escaped, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


def html_table(title: str, rows: Iterable[Sequence[object]], *, columns: Sequence[str] = ()) -> str:
    """A titled table."""
    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<b>{escape(title)}</b><table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def html_frame(page: str, *, height: int = 640) -> str:
    """A whole self-contained page in a frame of its own, so that its style stays inside; nothing runs."""
    return (
        f'<iframe sandbox srcdoc="{escape(page, quote=True)}" '
        f'style="width:100%;height:{height}px;border:1px solid #d5dae0"></iframe>'
    )


class Arrays(dict[str, Any]):
    """Arrays or tensors by name: a dict that shows shapes and ranges in a notebook."""

    def _repr_html_(self) -> str:
        rows = [
            (name, str(array.dtype).removeprefix("torch."), tuple(array.shape), _range(array))
            for name, array in self.items()
        ]
        return html_table(f"{len(rows)} arrays", rows, columns=("name", "dtype", "shape", "range"))


def html_fields(title: str, fields: Mapping[str, object]) -> str:
    """A row a field; long values are cut."""
    return html_table(title, [(name, _short(value)) for name, value in fields.items()])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else f"{text[:300]} … ({len(text)} characters)"


def _range(array: Any) -> str:
    if not array.shape or 0 in array.shape:
        return str(array.item()) if array.shape == () else "empty"
    return f"{array.min().item():.4g} to {array.max().item():.4g}"
