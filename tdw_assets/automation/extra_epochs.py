"""When the extra epochs of a study with an adaptive rule are chosen.

The first pass is the study's schedule. When nothing of it is left to train, the choice is made; its epochs
are wanted cells of every variant from then on, filled by replay like any other gap: the second pass. A
variant that can't be trained holds nobody up: the choice is made without it, and once more when it is done.
"""

from __future__ import annotations

from collections.abc import Collection

import dagster as dg

from tdw.inventory.plan import Inventory
from tdw.study.extra_epochs import find_trained
from tdw_assets.automation.attempts import judge
from tdw_assets.automation.work_in_progress import find_busy


def still_training(
    inventory: Inventory, instance: dg.DagsterInstance, *, given_up: Collection[str] = ()
) -> list[str]:
    """Variants that are being trained before the choice, else the first that can be: one is reason to wait.

    Args:
        inventory: of all registered variants.
        instance: whose runs tell what was tried.
        given_up: variants whose training has just failed. Others are given up by `attempts.judge`.
    """
    trained = find_trained(inventory.store, inventory.wanted.study, inventory.wanted.variants)
    variants = [v for v in inventory.wanted.variants if v not in trained and v not in given_up]
    busy = find_busy(inventory.wanted, instance)
    worked_on = [variant for variant in variants if busy.everything or variant in busy.variants]
    if worked_on:
        return worked_on
    for variant in variants:
        if (
            judge(inventory.wanted, instance, [inventory.task("train", inventory.gaps_of(variant))]).task
            is not None
        ):
            return [variant]
    return []
