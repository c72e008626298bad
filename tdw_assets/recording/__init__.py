"""How results become Dagster events, and how both are removed."""
