"""From one checkpoint to named arrays: one module per analyzer. Importing one imports no torch."""
