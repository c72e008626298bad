"""The notebook API: `tdw.open()`, one variant, one checkpoint."""
