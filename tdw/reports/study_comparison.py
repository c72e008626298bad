"""R2 as an asset of the study: the report on the groups that the study itself has.

Which groups, by a rule and not by choice: for each domain parameter that takes two values, the one against
the other; for three to eight values, each against all others; and the variants that reached the outcome by
the last epoch against those that did not, where both exist.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tdw.drawing.crowd import FEW
from tdw.known_settings import under_known_settings
from tdw.markdown import show, table
from tdw.recipes.common.pictures import draw, pictures_of
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.outcome import Outcome
from tdw.recipes.reading.evidence import Evidence
from tdw.reports.claims.verdicts import ALPHA
from tdw.reports.comparison_report import (
    DIFFERENCES,
    Difference,
    as_rows,
    caution,
    compare_groups,
    differences_table,
    outcomes_table,
    quantities_of,
    show_picture,
)
from tdw.reports.document import Document, as_files, commit
from tdw.reports.evidence import read_evidence
from tdw.reports.group_figure import group_picture
from tdw.reports.groupings import MOST_VALUES, Grouping, further, groupings
from tdw.reports.what_ran import runs
from tdw.store import Store, Written
from tdw.study import Study

NAME = "comparison_report"
CODE_VERSION = "6"
ABOUT = """\
The study's variants in groups, side by side: for every parameter that differs between them (seeds, moduli)
one value against the others, and the variants that reached the outcome against those that did not. Means,
exact rank tests, and how small a p-value so few variants allow. Written again whenever a table changes.
"""

_RULE = (
    "Groups are made by rule: for each parameter with two values, one value against the other; for each "
    "parameter with three to {most} values, each value against all others{outcomes}. Early means "
    "epoch {early}."
)
_BY_OUTCOME = "; and the variants that {outcome.did} against those that {outcome.did_not} by epoch {last}"
_NO_GROUPS = "The variants of this study have no groups: there is nothing to compare yet."
_TESTS = (
    "{tests} tests in all, of quantities that are related: only a corrected p (Bonferroni, within a section) "
    "below {alpha} is evidence, and groups this small may be unable to reach it. Use this table to decide "
    "what to ask next, and the study report for verdicts."
)


@dataclass(frozen=True)
class StudyComparison(Document):
    """The groups of a study, side by side.

    Attributes:
        groupings: in the report's order, each with what differs between its sides.
        inputs: "<variant>/<summary>" -> hash of what that was made from.
    """

    groupings: tuple[tuple[Grouping, tuple[Difference, ...]], ...]
    inputs: Mapping[str, str]


@under_known_settings
def study_comparison(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    title: str = "Comparison of groups",
    early_epoch: int = 1000,
    last_epoch: int | None = None,
) -> StudyComparison:
    """Compare the groups of a study, from what is stored now.

    Args:
        store: where summaries are read.
        family: of the variants.
        configs: of the study's variants, trained or not, in the study's order.
        title: of the report.
        early_epoch: at which "early" is read.
        last_epoch: of the study; None for the family's default.

    Raises:
        FingerprintMismatch: variants that were not computed alike; lists every difference.
        CorruptFile: names the file.
    """
    evidence = read_evidence(store, family, configs, early_epoch=early_epoch, last_epoch=last_epoch)
    deciding = [quantity.column for quantity in quantities_of(family) if quantity.decides]
    found: list[tuple[Grouping, tuple[Difference, ...]]] = []
    for grouping in groupings(family, configs, evidence.rows):
        sides = [[row for row in evidence.rows if row.key in keys] for keys in grouping.keys]
        known = deciding if grouping.by_outcome else []
        differences = compare_groups(evidence, family, sides[0], sides[1])
        found.append((grouping, tuple(d for d in differences if d.name not in known)))
    every = {name: picture for name, picture in pictures_of(family).items() if picture.groups}
    pictures = {f"{name}.svg": draw(picture, evidence) for name, picture in every.items()}
    parts = [f"# {title}", _overview(evidence, family, [grouping for grouping, _ in found], found)]
    for number, (grouping, differences) in enumerate(found, start=1):
        picture = group_picture(family, grouping.names, grouping.keys)
        name = f"groups_{number}.svg"
        pictures[name] = draw(picture, evidence)
        shown = f"![{picture.said(evidence)}]({name})"
        too = further(family, configs, grouping)
        parts.append(_section(number, grouping, differences, shown, family.outcome, too=too))
    parts.append("## All variants")
    parts += [show_picture(name, picture, evidence) for name, picture in every.items()]
    numbers = [{"groups": g.names, "quantities": as_rows(differences)} for g, differences in found]
    files = as_files(parts, title=title, pictures=pictures, numbers={DIFFERENCES: numbers})
    return StudyComparison(title, files, tuple(found), evidence.inputs)


@under_known_settings
def write_study_comparison(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    title: str = "Comparison of groups",
    early_epoch: int = 1000,
    last_epoch: int | None = None,
    study: Study | None = None,
) -> Written:
    """Make the report and commit it as `comparison_report`; see `study_comparison`."""
    report = study_comparison(
        store, family, configs, title=title, early_epoch=early_epoch, last_epoch=last_epoch
    )
    return commit(
        report,
        store,
        family,
        name=NAME,
        code_version=CODE_VERSION,
        parameters={
            "early_epoch": early_epoch,
            "last_epoch": last_epoch,
            "study": study.record() if study else {},
        },
        inputs=report.inputs,
        folder=study.folder if study else None,
    )


def _overview(
    evidence: Evidence,
    family: Family,
    every: Sequence[Grouping],
    found: Sequence[tuple[Grouping, Sequence[Difference]]],
) -> str:
    """The outcomes, and for each grouping the quantity in which its sides differ most."""
    many = len(evidence.rows) > FEW
    outcomes = runs(evidence, family) if many else outcomes_table(
        evidence, family, lambda row: _sides(row.key, every)
    )  # fmt: skip
    last, early = show(evidence.last_epoch), show(evidence.early_epoch)
    by_outcome = _BY_OUTCOME.format(outcome=family.outcome, last=last) if family.outcome else ""
    text = f"{_RULE.format(most=MOST_VALUES, outcomes=by_outcome, early=early)}\n\n{outcomes}"
    if not every:
        return f"{text}\n\n{_NO_GROUPS}"
    rows = [_strongest(number, *pair) for number, pair in enumerate(found, start=1)]
    columns = ["", "groups", "variants", "differ most in", "p-value", "corrected", "smallest possible"]
    tests = sum(len(differences) for _, differences in found)
    cautions = " ".join(control.caution for control in family.controls.values())
    said = f"{_TESTS.format(tests=tests, alpha=ALPHA)} {cautions}".rstrip()
    return f"{text}\n\n## At a glance\n\n{table(columns, rows)}\n\n{said}"


def _strongest(number: int, grouping: Grouping, differences: Sequence[Difference]) -> list[str]:
    """A row of the overview."""
    sizes = [len(keys) for keys in grouping.keys]
    row = [str(number), grouping.title, f"{sizes[0]} and {sizes[1]}"]
    tested = [d for d in differences if min(len(d.first), len(d.second)) > 1]
    if not tested:
        return [*row, "not tested: one variant on a side", "", "", ""]
    best = min(tested, key=lambda d: d.test.p_value)
    ties = [d.quantity.label for d in tested if d.test.p_value == best.test.p_value]
    names = "; ".join(ties[:3]) + (f"; {len(ties) - 3} more" if len(ties) > 3 else "")
    p = best.test.p_value
    least = 2 / math.comb(sum(sizes), sizes[0])
    return [*row, names, show(p), show(min(1.0, p * len(differences))), show(least)]


def _section(
    number: int,
    grouping: Grouping,
    differences: Sequence[Difference],
    picture: str,
    outcome: Outcome | None,
    *,
    too: str,
) -> str:
    """One grouping: the sides, the figure, the numbers, the caution."""
    members = [*(f"*{name}*: {_members(keys)}" for name, keys in _named(grouping)), *([too] if too else [])]
    tabled = differences_table(differences, *grouping.names, outcome)
    sizes = [len(keys) for keys in grouping.keys]
    return "\n\n".join(
        [
            f"## {number}. {grouping.title}",
            *members,
            picture,
            tabled,
            f"**What this can't say.** {caution(sizes[0], sizes[1], len(differences), outcome)}",
        ]
    )


def _members(keys: frozenset[str]) -> str:
    """The variants of a side; of many how many they are."""
    return ", ".join(sorted(keys)) if len(keys) <= FEW else f"{len(keys)} variants"


def _named(grouping: Grouping) -> list[tuple[str, frozenset[str]]]:
    return list(zip(grouping.names, grouping.keys, strict=True))


def _sides(key: str, every: Sequence[Grouping]) -> str:
    """The sides of two-valued groupings that a variant is on."""
    names = [name for grouping in every for name, keys in _named(grouping) if key in keys]
    return ", ".join(name for name in names if not name.startswith("other ")) or "none"
