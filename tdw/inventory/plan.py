"""What to do: the stages of the work, and the tasks that would make what is missing, at most one per variant
and stage, whatever the pattern. Sensor, schedules, `tdw fill` and `tdw.open().make` carry out the same plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tdw.epochs import format_epochs
from tdw.inventory.cells import VariantGaps, find_gaps
from tdw.inventory.products import CHECKPOINT, EXTRA_EPOCHS
from tdw.inventory.records import Records
from tdw.inventory.state import ProductState, ProductStates, find_states, find_study_states
from tdw.inventory.wanted import Wanted
from tdw.store import Store
from tdw.store.fingerprints import fingerprint_json
from tdw.study.extra_epochs import Choice, basis, find_trained, read_choice

Cells = Mapping[str, tuple[int, ...]]
"""Product name -> epochs."""


@dataclass(frozen=True)
class Stage:
    """A stage of the work. Its name is that of its job.

    Attributes:
        op: name of the op that does it.
        done: the words for it in messages once it is done.
        of_cells: whether it makes cells; otherwise tables, figures and reports.
        of_study: whether it is about all variants; otherwise about one.
        hour: of the night at which its schedule looks for gaps.
    """

    name: str
    op: str
    done: str
    of_cells: bool
    hour: int
    of_study: bool = False


STAGES = (
    Stage("train", "train_checkpoints", "trained", of_cells=True, hour=1),
    Stage("choose", "choose_extra_epochs", "chosen", of_cells=False, hour=3, of_study=True),
    Stage("analyze", "analyze_checkpoints", "analyzed", of_cells=True, hour=4),
    Stage("summarize", "summarize_variant", "summarized", of_cells=False, hour=5),
    Stage("compare", "compare_variants", "compared", of_cells=False, hour=6, of_study=True),
)
"""In the order of the work."""


@dataclass(frozen=True)
class Task:
    """Work that would make what is missing of one variant and stage.

    Attributes:
        stage: name of the stage.
        variant: "" for what covers several variants.
        names: of the products.
        request: hash of the exact work and its expected versions: the same gap has the same one.
        size: number of cells or tables.
        cells: exactly these cells; empty for tables, figures and reports.
        reason: why, in words for people.
    """

    stage: str
    variant: str
    names: tuple[str, ...]
    request: str
    size: int
    cells: Cells = field(default_factory=dict[str, tuple[int, ...]])
    reason: str = ""

    @property
    def title(self) -> str:
        """What it is, in words for people."""
        return f"{self.stage} of {self.variant or 'all variants'}"


@dataclass(frozen=True)
class Inventory:
    """What a study wants, what is recorded, and what is in the store."""

    wanted: Wanted
    records: Records
    store: Store

    def gaps(self, variants: Collection[str] | None = None) -> dict[str, VariantGaps]:
        """Variant -> its cells, of some variants or all."""
        return find_gaps(self.wanted, self.records, self.store, variants)

    def gaps_of(self, variant: str) -> VariantGaps:
        """The cells of one variant."""
        return self.gaps([variant])[variant]

    def states_of(self, gaps: Mapping[str, VariantGaps]) -> ProductStates:
        """How the tables and figures of these variants stand."""
        return find_states(self.wanted, self.records, self.store, gaps)

    def study_states(self) -> ProductStates:
        """The state of what covers all variants."""
        return find_study_states(self.wanted, self.records, self.store)

    def task(
        self,
        stage: str,
        gaps: VariantGaps | None = None,
        *,
        out_of_date: bool = True,
        names: Collection[str] | None = None,
        states: ProductStates | None = None,
    ) -> Task | None:
        """The task of a stage; None when there is nothing to do.

        Args:
            stage: its name.
            gaps: of the variant; None for a stage of the study.
            out_of_date: whether cells that are out of date are made again. Tables and figures always are.
            names: only these products.
            states: of the variant's tables and figures, or the study's, where they are known already.
        """
        if names is not None and not any(p.stage == stage and p.name in names for p in self.wanted.products):
            return None  # before anything is read
        if stage == "choose":
            return self._plan_choice()
        if gaps is None:
            return _plan_tables(stage, states or self.study_states(), "", names)
        if stage == "train":
            return self._plan_training(gaps, out_of_date) if names is None or CHECKPOINT in names else None
        if stage == "analyze":
            return self._plan_analysis(gaps, out_of_date, names)
        states = states or self.states_of({gaps.variant: gaps})
        return _plan_tables(stage, states, gaps.variant, names)

    def choice(self) -> tuple[Choice | None, bool]:
        """The extra epochs in force, and whether they are to be chosen, for the first time or again.

        Looks at file names and one small file.
        """
        study = self.wanted.study
        if study.adaptive is None:
            return None, False
        found = read_choice(self.store, study)
        return found, found is None or found.basis != self._basis()

    def _basis(self) -> dict[str, Any]:
        """What a choice would rest on now."""
        study = self.wanted.study
        return basis(study, find_trained(self.store, study, self.wanted.variants))

    def _plan_choice(self) -> Task | None:
        """Chooses the extra epochs, or records those that are chosen; None before a variant is trained."""
        _, due = self.choice()
        if self.wanted.study.adaptive is None or not (due or self.records.of_study(EXTRA_EPOCHS) is None):
            return None
        now = self._basis()
        return Task("choose", "", (EXTRA_EPOCHS,), fingerprint_json(now)[:16], 1) if now["variants"] else None

    def _plan_training(self, gaps: VariantGaps, out_of_date: bool) -> Task | None:
        """Makes missing checkpoints and records the history."""
        epochs = gaps.to_train(out_of_date=out_of_date)
        if not epochs and gaps.history is None:
            # Training is done: the run asks for the last checkpoint, and sees to the history alone.
            recorded = gaps.checkpoint.recorded.keys()
            epochs = tuple(sorted(recorded & self.wanted.epoch_set or recorded))[-1:]
        if not epochs:
            return None
        spec = self.wanted.checkpoint_spec(gaps.variant)
        return _of_cells("train", gaps, {CHECKPOINT: epochs}, {CHECKPOINT: spec})

    def _plan_analysis(
        self, gaps: VariantGaps, out_of_date: bool, names: Collection[str] | None
    ) -> Task | None:
        """Computes exactly the missing cells."""
        cells = {
            name: epochs
            for name, epochs in gaps.to_analyze(out_of_date=out_of_date).items()
            if names is None or name in names
        }
        if not cells:
            return None
        below = gaps.checkpoint.recorded
        made_by = {
            name: [self.wanted.analyzer_specs[name], *(below[epoch].content for epoch in epochs)]
            for name, epochs in cells.items()
        }
        return _of_cells("analyze", gaps, cells, made_by)


def _of_cells(stage: str, gaps: VariantGaps, cells: Cells, made_by: Mapping[str, Any]) -> Task:
    listed = {name: list(epochs) for name, epochs in cells.items()}
    request = fingerprint_json([listed, dict(made_by)])[:16]
    size, reason = sum(map(len, cells.values())), _why(gaps, cells)
    return Task(stage, gaps.variant, tuple(cells), request, size, cells, reason)


def _why(gaps: VariantGaps, cells: Cells) -> str:
    """Product by product, which epochs are missing, without a record or out of date."""
    said: list[str] = []
    for name, epochs in cells.items():
        of = gaps.cells[name]
        parts = {"missing": of.missing, "in the store but not recorded": of.unrecorded}
        parts["out of date"] = of.out_of_date
        found = {what: set(some).intersection(epochs) for what, some in parts.items()}
        lines = [f"{what} at epochs {format_epochs(some)}" for what, some in found.items() if some]
        said.append(f"{name}: {', '.join(lines) or 'its history is not recorded'}")
    return "; ".join(said)


def _plan_tables(
    stage: str, states: ProductStates, variant: str, names: Collection[str] | None
) -> Task | None:
    """Makes tables and figures again. What is made from cells that are out of date is left: mixing them is
    refused, and they come first.
    """
    made: dict[str, ProductState] = {}
    for state in states.by_variant.get(variant, ()):
        asked = names is None or state.product.name in names
        behind = set(state.stale_inputs) - made.keys()
        if asked and state.state in ("missing", "out_of_date") and not behind:
            made[state.product.name] = state
    if not made:
        return None
    by = {name: [state.product.spec, state.input] for name, state in made.items()}
    by_state: dict[str, list[str]] = {}
    for name, found in made.items():
        by_state.setdefault(found.state.replace("_", " "), []).append(name)
    reason = "; ".join(f"{state}: {', '.join(names)}" for state, names in by_state.items())
    return Task(stage, variant, tuple(made), fingerprint_json(by)[:16], len(made), reason=reason)
