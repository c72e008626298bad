"""Families: groups of models that share architecture, probe, recipes and claims.

Belongs here: everything that is about one group of models (configuration, data, network, probe, analyzers,
summaries, figures), and the registry. Does not: how a model is trained, analyzed or stored. Importing this
package loads no torch.
"""

from tdw.families.registry import all_families, get_family, load_family
from tdw.recipes.family import Family, Objective, VariantConfig

__all__ = ["Family", "Objective", "VariantConfig", "all_families", "get_family", "load_family"]
