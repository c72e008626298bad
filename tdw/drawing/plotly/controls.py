"""What moves an interactive chart: buttons, the menu of pages, the slider and its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tdw.drawing.chart import Chart, Choice, Option, Page
from tdw.drawing.marks import Scale
from tdw.drawing.plotly.layout import Drawn, coloraxis, shapes, texts
from tdw.drawing.plotly.subplots import SubplotGrid, layout_name

_NOW: Mapping[str, Any] = {
    "mode": "immediate",
    "frame": {"duration": 0, "redraw": True},
    "transition": {"duration": 0},
}
_PLAY = {**_NOW, "mode": "next", "fromcurrent": True, "frame": {"duration": 150, "redraw": True}}


def menus(grid: SubplotGrid, drawn: Sequence[Drawn], scales: Sequence[Scale]) -> list[dict[str, Any]]:
    """Buttons of choices, scales and the slider, and the menu of pages."""
    chart = grid.chart
    pad = {"b": 26, "t": 0} if scales else {"b": 8, "t": 0}
    found = [
        _buttons(
            [_button(grid, drawn, choice, option) for option in choice.options],
            left=choice.left, pad=pad, active=choice.active,
        )
        for choice in chart.choices
    ]  # fmt: skip
    if chart.epochs:
        play = {"label": "▶ play", "method": "animate", "args": [None, dict(_PLAY)]}
        stop = {"label": "stop", "method": "animate", "args": [[None], dict(_NOW)]}
        found.append(_buttons([play, stop], left=False, pad=pad, showactive=False))
    for place, scale in enumerate(scales):
        ends = [
            {"label": f"color to {top}{scale.unit}", "method": "relayout",
             "args": [{f"{coloraxis(place)}.cmax": top}]}
            for top in scale.tops
        ]  # fmt: skip
        if ends:
            found.append(_buttons(ends, left=True, pad=pad, active=scale.tops.index(int(scale.top))))
    if len(chart.pages) > 1:
        entries = [_turn(grid, drawn, page) for page in chart.pages]
        found.append(_buttons(entries, left=False, pad={"b": 44}, type="dropdown", direction="down"))
    return found


def _buttons(entries: Sequence[Mapping[str, Any]], *, left: bool, **extra: Any) -> dict[str, Any]:
    """A row of buttons above the figure."""
    return {
        "type": "buttons",
        "direction": "right",
        "x": 0 if left else 1,
        "xanchor": "left" if left else "right",
        "y": 1,
        "yanchor": "bottom",
        "showactive": True,
        "buttons": list(entries),
        **extra,
    }


def _button(grid: SubplotGrid, drawn: Sequence[Drawn], choice: Choice, option: Option) -> dict[str, Any]:
    places = [i for i, each in enumerate(drawn) if each.mark.tag in choice.tags]
    visible = {"visible": [drawn[i].mark.tag in option.tags for i in places]}
    layout: dict[str, Any] = {}
    for panel, ends in option.ranges.items():
        layout[f"{layout_name(grid.y_of(panel))}.range"] = list(ends)
    for panel, names in option.orders.items():
        x = layout_name(grid.x(grid.first[panel]))
        title = grid.chart.panels[panel].x.title
        layout[f"{x}.categoryarray"] = list(names)
        if grid.first[panel] == grid.lowest(grid.first[panel][1]):
            layout[f"{x}.title.text"] = f"{title}, {option.label}"
    for panel in grid.right:
        # An axis on the right without a mark would say nothing.
        tags = {each.mark.tag for each in drawn if each.panel == panel and each.mark.right}
        if tags and tags <= choice.tags:
            name = layout_name(grid.y_of(panel, right=True))
            layout[f"{name}.visible"] = bool(tags & set(option.tags))
    if places and layout:
        return {"label": option.label, "method": "update", "args": [visible, layout, places]}
    if places:
        return {"label": option.label, "method": "restyle", "args": [visible, places]}
    return {"label": option.label, "method": "relayout", "args": [layout]}


def _turn(grid: SubplotGrid, drawn: Sequence[Drawn], page: Page) -> dict[str, Any]:
    """The entry of the menu that shows a page: its panels move into the slots."""
    slots = grid.on(page)
    of = [slots.get(each.panel) for each in drawn]
    first = grid.lowest(0)
    changes = {
        "visible": [slot is not None and not grid.chart.hides(each.mark)
                    for slot, each in zip(of, drawn, strict=True)],
        "xaxis": [grid.x(slot or first) for slot in of],
        "yaxis": [grid.y(slot or first) for slot in of],
    }  # fmt: skip
    return {"label": page.label, "method": "update", "args": [changes, page_layout(grid, page)]}


def page_layout(grid: SubplotGrid, page: Page) -> dict[str, Any]:
    """What the layout is while a page is shown; axes as "xaxis2.domain"."""
    layout: dict[str, Any] = {}
    widths, used = grid.widths(page), set(grid.on(page).values())
    for slot in grid.slots:
        row, column = slot
        layout[f"{layout_name(grid.y(slot))}.visible"] = slot in used
        if row == 0 or grid.chart.square:
            x = layout_name(grid.x(slot))
            layout[f"{x}.domain"] = list(widths[min(column, len(widths) - 1)])
            layout[f"{x}.visible"] = column < len(widths)
    return {**layout, "annotations": texts(grid, page), "shapes": shapes(grid, page)}


def slider(chart: Chart) -> dict[str, Any]:
    """The slider below the figure, at the last epoch."""
    return {
        "active": len(chart.epochs) - 1,
        "currentvalue": {"prefix": "epoch ", "xanchor": "left", "font": {"size": 14}},
        "pad": {"t": 26 if chart.square else 44, "b": 4},
        "len": 1,
        "x": 0,
        "steps": [
            {"label": f"{epoch:,}", "method": "animate", "args": [[str(epoch)], dict(_NOW)]}
            for epoch in chart.epochs
        ],
    }


def frames(grid: SubplotGrid, drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    """One for each stop of the slider: what changes in each trace, and titles if they do."""
    chart = grid.chart
    moving = [i for i, each in enumerate(drawn) if each.stops]
    titled = any(isinstance(panel.title, tuple) and len(set(panel.title)) > 1 for panel in chart.panels)
    found: list[dict[str, Any]] = []
    for stop, epoch in enumerate(chart.epochs):
        data = [drawn[i].stops[stop] for i in moving]
        frame: dict[str, Any] = {"name": str(epoch), "data": data, "traces": moving}
        if titled:
            frame["layout"] = {"annotations": texts(grid, grid.pages[0], stop=stop)}
        found.append(frame)
    return found
