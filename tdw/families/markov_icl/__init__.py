"""Markov chains in context: a small transformer that learns to count what followed what in its input.

Task and published course of training (uniform, then unigram, then bigram): Edelman et al. 2024, "The
Evolution of Statistical Induction Heads", arXiv:2402.11004. Importing this package loads no torch.
"""

from tdw.families.markov_icl.config import Config
from tdw.families.markov_icl.declaration import FAMILY

__all__ = ["FAMILY", "Config"]
