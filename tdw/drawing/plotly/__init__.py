"""A chart as a Plotly figure: traces, axes, layout, sliders and menus."""
