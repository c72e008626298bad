"""What its reports show beyond the tables: printed figures, and how far results depend on choices."""
