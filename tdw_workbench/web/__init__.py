"""The workbench's pages: routes below /tdw, inside Dagster's webserver or on a port of their own.

Belongs here: reading the store for a browser. Does not: actions (they are Dagster's), computing anything from
weights. Nothing in this package imports torch.
"""
