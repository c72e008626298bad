"""Measures of any transformer of the kit (A24): pure functions from a probe pass to named arrays.

Belongs here: what needs no knowledge of the task. Does not: a task's own statistics, which its family brings.
"""
