"""How results become Dagster events, and what the latest events say of a study."""
