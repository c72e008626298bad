"""Run one recipe and commit what it makes: artifacts, tables, figures; a variant from key to plots."""
