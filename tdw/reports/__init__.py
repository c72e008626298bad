"""From tables to text: the study report, the comparison report.

Belongs here: verdicts on claims and the rules behind them, and what is printed. Does not: computing a
statistic (`tdw.statistics`, a family's summaries), drawing (`tdw.drawing`), export (`tdw.exchange`).
"""
