"""Tags by which runs are found again: for which study, stage, variant and gap they are."""

from tdw.inventory.plan import Task
from tdw_assets.cells.wanted import Grid

STUDY_TAG = "tdw/study"
STAGE_TAG = "tdw/stage"
VARIANT_TAG = "tdw/variant"
REQUEST_TAG = "tdw/request"


def study_tag(grid: Grid) -> dict[str, str]:
    """Says whose a run is."""
    return {STUDY_TAG: grid.slug}


def purpose(grid: Grid, task: Task) -> dict[str, str]:
    """Tags of every run of this stage of this variant, whatever cells it is about."""
    of_variant = {VARIANT_TAG: task.variant} if task.variant else {}
    return study_tag(grid) | {STAGE_TAG: task.stage} | of_variant


def gap(grid: Grid, task: Task) -> dict[str, str]:
    """Tags of every run for the same gap."""
    return study_tag(grid) | {REQUEST_TAG: task.request}
