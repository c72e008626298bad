"""What is being worked on now: trainings by their history so far, other stages by their runs' progress."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tdw.families import all_families
from tdw.families.stored import is_variant
from tdw.training.live import find_running
from tdw_resources.runs.progress import WorkProgress, read_progress
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.densify import DENSIFY

if TYPE_CHECKING:
    from tdw.study import Study
    from tdw_workbench.web.data.recorded import Recorded
    from tdw_workbench.web.data.store_cache import StoreCache

STOPPED, STOPPING, WAITING, BEGUN = "stopped", "stopping", "waiting", "starting"
WORDS = {
    "train": "training",
    "analyze": "analyzing",
    "summarize": "making tables and plots",
    DENSIFY: "more checkpoints",
}


@dataclass(frozen=True)
class Now:
    """What is done with a variant.

    Attributes:
        stage: "train", "analyze" or "summarize"; STOPPED where a person stopped one of them, WAITING where
            one is in Dagster's queue, BEGUN where its process is on the way, STOPPING where it ends.
        mark: changes with everything that a page could show of it.
        fraction: of the stage that is done, 0 to 1; None where it can't be told.
        text: how far it is, in words, after the name of the stage; "" where that says nothing more.
        stopped: another stage of the variant that stays stopped meanwhile, in words; "" for none.
    """

    stage: str
    mark: str
    fraction: float | None = None
    text: str = ""
    stopped: str = ""

    @property
    def words(self) -> str:
        """The stage, for people."""
        return WORDS.get(self.stage, self.stage)


def work_now(library: StoreCache) -> dict[str, Now]:
    """`family/variant` -> what is done with it; only small files are read: it may be asked each second."""
    home = library.settings.home
    by_variant = {work.variant: work for work in read_progress(home)} if home else {}
    found: dict[str, Now] = {}
    for family in all_families():
        for variant, path in find_running(library.store, family):
            found[f"{family.name}/{variant}"] = Now("train", f"train {stamp(path)}")
        for variant, work in by_variant.items():
            place = f"{family.name}/{variant}"
            if place not in found and work.stage in WORDS and is_variant(family, variant):
                found[place] = _of(work)
    if library.recorded is not None:
        for study in library.studies:
            _add_recorded(found, library.recorded, study)
    return found


def _add_recorded(found: dict[str, Now], recorded: Recorded, study: Study) -> None:
    """Add what Dagster was asked for and nobody works on yet, and what stays stopped whatever is done."""
    for variant, run in recorded.asked_for(study).items():
        state, when = BEGUN, "a run has begun"
        if run.waits:
            state, when = WAITING, "when a run before it is through"
        if run.ends:
            state, when = STOPPING, "what is finished is kept"
        text = f"{WORDS.get(run.stage, run.stage)}, {when}"
        found.setdefault(f"{study.family}/{variant}", Now(state, f"{state} {run.run_id}", text=text))
    for variant, stopped in recorded.stopped(study).items():
        text = f"{WORDS.get(stopped.stage, stopped.stage)}, by a person; it stays stopped"
        place, mark = f"{study.family}/{variant}", f"{STOPPED} {stopped.run_id}"
        now = found.get(place)
        if now is None:
            found[place] = Now(STOPPED, mark, text=text)
        else:
            found[place] = replace(now, mark=f"{now.mark} {mark}", stopped=f"{STOPPED}: {text}")


def _of(work: WorkProgress) -> Now:
    unit = "analyses" if work.stage == "analyze" else "done"
    text = f"{work.done:,} of {work.total:,} {unit}" if work.stage != "train" and work.total else ""
    return Now(work.stage, f"{work.stage} {work.done}/{work.total}", work.done / max(1, work.total), text)
