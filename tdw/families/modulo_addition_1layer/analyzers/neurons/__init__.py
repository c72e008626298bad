"""Analyzers of groups of neurons: what they read from each head, at which scales they vary."""

from tdw.families.modulo_addition_1layer.analyzers.neurons import head_composition, scale_profiles

ANALYZERS = (scale_profiles.ANALYZER, head_composition.ANALYZER)

__all__ = ["ANALYZERS"]
