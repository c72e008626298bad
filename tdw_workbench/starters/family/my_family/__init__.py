"""The family my_family: a small transformer repeats the token that stood `lag` positions before."""

from .family import FAMILY

__all__ = ["FAMILY"]
