"""Figures of stored artifacts and summaries: one module a figure, with a preview and its data as a table.

Belongs here: what a figure shows and how it looks. Does not: computing what it shows (analysis, summaries) or
serving it. A figure reads the store only, never a model, and importing this package loads neither torch nor
plotly.
"""
