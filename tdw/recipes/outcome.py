"""What a variant of a family may reach: the columns of the comparison table, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The outcome of a family's variants.

    Attributes:
        reached: column of the comparison table: whether it was reached; empty where that is not known.
        epoch: column: the epoch at which it was reached; empty where it was not.
        censored: column: last evaluated epoch of a variant that did not reach it, else empty.
        rule: column: the criterion, in words.
        epoch_label: what the epoch is called, such as "grokking epoch".
        did: what a variant did that reached it, such as "grokked".
        did_not: what a variant did that did not, such as "did not grok".
        none: that it was not reached, in a table, such as "no grok".
    """

    reached: str
    epoch: str
    censored: str
    rule: str
    epoch_label: str
    did: str
    did_not: str
    none: str
