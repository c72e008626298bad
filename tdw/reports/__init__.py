"""From tables to text: the study report, the comparison report, the bundle that another machine can verify.

Belongs here: verdicts and the rules behind them, figures that print, export and import. Does not: computing a
statistic (`tdw.summaries`), interactive figures (`tdw.plots`).
"""
