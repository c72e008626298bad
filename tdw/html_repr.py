"""How results show themselves in a notebook: small HTML, every text in it escaped, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tdw.html_templates import render_html


def html_table(title: str, rows: Iterable[Sequence[object]], *, columns: Sequence[str] = ()) -> str:
    """A titled table."""
    return render_html("table.html", title=title, rows=[list(row) for row in rows], columns=columns)


def html_frame(page: str, *, height: int = 640) -> str:
    """A whole self-contained page in a frame of its own, so that its style stays inside; nothing runs."""
    # Links to places in the page would lead to the notebook without it.
    within = page.replace("<head>", '<head>\n<base href="about:srcdoc">', 1)
    return render_html("frame.html", page=within, height=height)


class Arrays(dict[str, Any]):
    """Arrays or tensors by name: a dict that shows shapes and ranges in a notebook."""

    def _repr_html_(self) -> str:
        rows = [
            (name, str(array.dtype).removeprefix("torch."), tuple(array.shape), _range(array))
            for name, array in self.items()
        ]
        return html_table(f"{len(rows)} arrays", rows, columns=("name", "dtype", "shape", "range"))


def html_fields(title: str, fields: Mapping[str, object]) -> str:
    """One row per field; long values are cut."""
    return html_table(title, [(name, _short(value)) for name, value in fields.items()])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else f"{text[:300]} … ({len(text)} characters)"


def _range(array: Any) -> str:
    if not array.shape or 0 in array.shape:
        return str(array.item()) if array.shape == () else "empty"
    return f"{array.min().item():.4g} to {array.max().item():.4g}"
