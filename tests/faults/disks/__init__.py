"""Disks that are full, that fail, and whose bytes change."""
