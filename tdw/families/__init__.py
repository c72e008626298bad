"""Families: groups of models that share architecture, probe, analyzers and plots.

Belongs here: what a model is (configuration, data, probe, network). Does not: how it is trained, analyzed or
stored. Importing this package loads no torch.
"""

from tdw.families.registry import FAMILIES, get_family
from tdw.recipes.family import Family, Objective, ProbePass, VariantConfig

__all__ = ["FAMILIES", "Family", "Objective", "ProbePass", "VariantConfig", "get_family"]
