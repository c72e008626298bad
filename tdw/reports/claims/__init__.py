"""Claims and their verdicts: one function per kind of claim, and the words that it is reported in.

Belongs here: how a verdict follows from numbers. Does not: what a study claims (its `claims.yaml`), what may
be written for a kind (`tdw.study.claim_kinds`), how a measure is read (the family).
"""
