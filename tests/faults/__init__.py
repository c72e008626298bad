"""Faults, really injected: processes are killed, disks fill up, bytes are flipped, writers collide.

`python -m tests.faults` (about half an hour) writes docs/reliability.md; a part of it runs under pytest.
"""
