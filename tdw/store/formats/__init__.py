"""The sealed files: arrays (safetensors), tables (parquet), records (JSON)."""
