"""How results become Dagster events: materializations and data versions."""
