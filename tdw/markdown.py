"""Numbers, names and tables as Markdown shows them to people."""

from __future__ import annotations

import math
from collections.abc import Sequence

Value = float | int | str | bool | None


def show(value: Value) -> str:
    """A number for people: 4 significant digits, thousands separated, "unknown" for NaN and None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "none"
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "never" if value > 0 else "−∞"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:,.4g}".replace("-", "−")


def listed(names: Sequence[str]) -> str:
    """Names separated by commas, "none" for no name."""
    return ", ".join(names) or "none"


def shortened(text: str, *, most: int = 12) -> str:
    """A list of names with so many of them, and how many more there are; any other text as it is."""
    names = text.split(", ")
    return text if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
