"""Asset events: how many are written at once, their data versions, the partition keys of cells,
and what the latest ones say of a study.
"""
