"""Figures of symbolic indirect object identification, beside those of every transformer."""

from tdw.families.symbolic_ioi.figures import composition, outcomes, templates

PLOTS = (composition.PLOT, templates.PLOT, outcomes.PLOT)

__all__ = ["PLOTS"]
