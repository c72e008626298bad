"""Processes that are killed: children of ours, `tdw fill`, `tdw up`."""
