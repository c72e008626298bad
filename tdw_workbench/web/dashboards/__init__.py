"""Dashboards: panels that a person chooses and arranges, saved in the store, shown and exported."""
