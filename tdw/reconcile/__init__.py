"""What to ask for next: the difference between what a study wants and what is there, looked at step by step.

Belongs here: which variants have news, which task may be tried (again), what is waited for. Does not: what is
missing (`tdw.inventory`), and what runs there are: whatever starts runs reports them through `runs.Runs`.
"""
