"""Tags by which runs are found again: for which study, stage, variant and gap they are."""

from tdw.inventory.plan import Task
from tdw.inventory.wanted import Wanted

STUDY_TAG = "tdw/study"
STAGE_TAG = "tdw/stage"
VARIANT_TAG = "tdw/variant"
REQUEST_TAG = "tdw/request"
AUTOMATION = {"tdw/door": "automation"}
"""Tags of the runs that sensor and schedules ask for."""
REASON_TAG = "tdw/reason"
"""Why automation asked for the run, in words for people."""


def study_tag(wanted: Wanted) -> dict[str, str]:
    """Says whose a run is."""
    return {STUDY_TAG: wanted.study.slug}


def purpose(wanted: Wanted, *, stage: str, variant: str) -> dict[str, str]:
    """Tags of every run of a stage of a variant ("" for all of them), whatever cells it is about."""
    of_variant = {VARIANT_TAG: variant} if variant else {}
    return study_tag(wanted) | {STAGE_TAG: stage} | of_variant


def gap(wanted: Wanted, task: Task) -> dict[str, str]:
    """Tags of every run for the same gap."""
    return study_tag(wanted) | {REQUEST_TAG: task.request}
