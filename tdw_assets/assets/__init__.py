"""The executable assets: training, analysis, tables, figures, reports, and the body that their ops share."""
