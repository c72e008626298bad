#!/usr/bin/env python3
"""Which head forms first, by definition: python studies/induction/order_by_definition.py STORE."""

from __future__ import annotations

import sys

import numpy as np

from tdw.families import get_family
from tdw.families.stored import stored_variants
from tdw.store import Address, Store

NAME = "head_scores"
DEFINITIONS = {
    **{
        f"{share:.0%} of its own rise": lambda s, chance, share=share: s >= s[0] + share * (s.max() - s[0])
        for share in (0.1, 0.25, 0.5, 0.75, 0.9)
    },
    **{
        f"{rise} above an even head": lambda s, chance, rise=rise: s >= chance + rise
        for rise in (0.02, 0.05, 0.1, 0.2)
    },
    **{
        f"{share:.0%} of the way from an even head to 1": lambda s, chance, share=share: (
            s >= chance + share * (1 - chance)
        )
        for share in (0.1, 0.25)
    },
    "1.5 times an even head": lambda s, chance: s >= 1.5 * chance,
}


def main(root: str) -> None:
    """Print a Markdown table: epochs of the previous-token head / of prefix matching, per variant."""
    store, family = Store(root), get_family("markov_icl")
    variants = sorted(stored_variants(store, family))
    rows = {name: list[str]() for name in DEFINITIONS}
    for variant in variants:
        epochs = np.array(store.epochs(family.name, variant, NAME))
        found = [store.read(Address(family.name, variant, NAME, int(epoch))).arrays for epoch in epochs]
        previous = np.array([arrays["previous_token"][0].max() for arrays in found])
        prefix = np.array([arrays["prefix_matching"][1:].max() for arrays in found])
        chances = found[-1]["chance"]
        for name, holds in DEFINITIONS.items():
            marks = (holds(previous, chances[0]), holds(prefix, chances[2]))
            rows[name].append(" / ".join(f"{epochs[m][0]:,}" if m.any() else "never" for m in marks))
    print("| definition | " + " | ".join(variants) + " |\n|---" + "|---" * len(variants) + "|")
    for name, cells in rows.items():
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1])
