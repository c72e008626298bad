"""A chart as a Matplotlib picture: previews, and the figures of reports."""
