"""Analyzers of what the network learns from: its training gradient."""
