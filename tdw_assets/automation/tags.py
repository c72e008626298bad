"""Tags by which runs are found again: for which study, stage, variant and gap they are."""

from tdw_assets.cells.wanted import Grid

STUDY_TAG = "tdw/study"
STAGE_TAG = "tdw/stage"
VARIANT_TAG = "tdw/variant"
REQUEST_TAG = "tdw/request"


def study_tag(grid: Grid) -> dict[str, str]:
    """Says whose a run is."""
    return {STUDY_TAG: grid.slug}
