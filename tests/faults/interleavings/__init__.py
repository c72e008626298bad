"""Schedules: one number decides how several processes take turns, and what befalls them."""
