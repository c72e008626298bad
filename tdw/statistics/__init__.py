"""Statistics as pure functions of numbers, for claims about training runs.

Belongs here: tests, intervals, survival, power, variance, and what replicates do to a verdict. Does not:
where the numbers come from (`tdw.making`), what is claimed of them (`tdw.reports`). What is random has a
fixed seed, so a result never changes from one run to the next.
"""
