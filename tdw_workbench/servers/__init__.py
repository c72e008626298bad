"""Dagster's processes under one parent."""
