"""R1: the study report. Verdicts by stated rules, the numbers behind them, the figures, what can't be said.

Reads summaries only, so it takes seconds, and works with any number of variants in any state: what is not
known yet is undecided and named. A study without claims has a report without verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tdw.drawing.crowd import FEW
from tdw.known_settings import under_known_settings
from tdw.markdown import shortened, show, table
from tdw.recipes.common.outcome_figures import outcome_pictures
from tdw.recipes.common.pictures import draw, pictures_of
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.measures import Picture
from tdw.recipes.reading.evidence import Evidence, progress
from tdw.reports.appendix import appendix
from tdw.reports.claims.registry import code_versions, judge_all
from tdw.reports.claims.verdicts import JudgedClaim
from tdw.reports.document import Document, as_files, commit
from tdw.reports.evidence import read_evidence
from tdw.reports.what_ran import computed_by, draws, runs, variance
from tdw.statistics.exact import smallest_p_value
from tdw.store import Store, Written
from tdw.study import Study

NAME = "study_report"
CODE_VERSION = "11"
ABOUT = """\
What was run, each claim of the study with its verdict (supported, contradicted, undecided), the numbers
behind it and the figure. Verdicts are computed by the rules of the claims' kinds; a control is beside
the claims that it tests. Written again whenever a table changes.
"""
FINDINGS = "findings.json"

_CROWD = (
    "Figures of more than {few} variants, and of variants with replicates, show groups: the median as a "
    "thick line, the quartiles and the middle 80 % as bands (the range where a group has fewer than five "
    "runs), the runs as thin lines, and no dots."
)
_TRAINED = "{n} of {all} variants are trained to epoch {last}."
_OUTCOMES = "{reached} {outcome.did}; {failed} {outcome.did_not} by then."
_UNFINISHED = "**Unfinished: {open}.** The report rests on what is there."
_SMALLEST_P = (
    "Over {n} variants, the exact p-value of a rank correlation can't be below {p}. Variants that share a "
    "field are not independent, so they count as fewer than {n}."
)
_FEW_FAILED = "{n} {outcome.did_not}: what separates so few from the rest may do so by chance."
_NONE_FAILED = "No variant is known to have failed, so nothing can be said about what failure looks like."
_VARIED = (
    "The variants have {fields}: the report says nothing about other values, and can't tell a property of "
    "one value from a property of its runs."
)
_FIXED = "Not varied: {fields}. What depends on them looks like a property of the variants."
_OBSERVED = (
    "What no field of the variants intervenes in is only observed. Claims about necessity or prevention are "
    "about what would happen otherwise; they need interventions."
)


@dataclass(frozen=True)
class StudyReport(Document):
    """The study report.

    Attributes:
        claims: the study's claims, judged, in its order.
        inputs: "<variant>/<summary>" -> hash of what that was made from.
    """

    claims: tuple[JudgedClaim, ...]
    inputs: Mapping[str, str]


@under_known_settings
def study_report(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    title: str = "Study report",
    early_epoch: int = 1000,
    last_epoch: int | None = None,
    study: Study | None = None,
) -> StudyReport:
    """The report on some variants from what is stored now.

    Args:
        store: where summaries are read.
        family: of the variants.
        configs: of the study's variants, trained or not, in the study's order.
        title: of the report.
        early_epoch: at which "early" is read.
        last_epoch: of the study; None for the family's default.
        study: whose claims are judged and whose settings are printed; None for neither.

    Raises:
        FingerprintMismatch: variants that were not computed alike; lists every difference.
        CorruptFile: names the file.
        BadConfig: words of a claim that its numbers can't fill.
    """
    evidence = read_evidence(store, family, configs, early_epoch=early_epoch, last_epoch=last_epoch)
    claims = judge_all(evidence, family, study.claims if study else ())
    pictures = _pictures(family, claims, evidence)
    numbers = {name: i + 1 for i, name in enumerate(pictures)}
    parts = [f"# {title}", _summary(evidence, claims), _run(store, evidence, family)]
    parts += _outcomes(family, numbers, evidence)
    shown = set[str](outcome_pictures(family))
    for group in dict.fromkeys(judged.claim.group for judged in claims):
        parts.append(f"## {group}")
        parts += [
            _claim(judged, pictures, numbers, shown, evidence)
            for judged in claims
            if judged.claim.group == group
        ]
    rest = {name: picture for name, picture in pictures.items() if name not in shown}
    if rest and not claims:
        parts += ["## Figures", *(_figure(name, one, numbers, evidence) for name, one in rest.items())]
    about = family.comparison.description if family.comparison else ""
    parts += [section.write(store, evidence) for section in family.report_sections]
    parts += [_limits(evidence, family), appendix(evidence, study, about=about)]
    drawn = {f"{name}.svg": draw(picture, evidence) for name, picture in pictures.items()}
    findings = [judged.to_json() for judged in claims]
    files = as_files(parts, title=title, pictures=drawn, numbers={FINDINGS: findings})
    return StudyReport(title, files, claims, evidence.inputs)


@under_known_settings
def write_study_report(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    title: str = "Study report",
    early_epoch: int = 1000,
    last_epoch: int | None = None,
    study: Study | None = None,
) -> Written:
    """Make the report and commit it beside the plots over variants, as `study_report`; see `study_report`."""
    report = study_report(
        store, family, configs, title=title, early_epoch=early_epoch, last_epoch=last_epoch, study=study
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
            "variants": [config.key for config in configs],
            "made_by": made_by(family, study),
        },
        inputs=report.inputs,
        folder=study.folder if study else None,
    )


def made_by(family: Family, study: Study | None) -> dict[str, str]:
    """Code versions behind the report beside its own: of its claims' kinds and the family's sections."""
    sections = {section.name: section.code_version for section in family.report_sections}
    return {**sections, **code_versions(study.claims if study else ())}


def _pictures(family: Family, claims: Sequence[JudgedClaim], evidence: Evidence) -> dict[str, Picture]:
    """The outcome's figures by name, then as the claims refer to them; without claims all that have data."""
    known = pictures_of(family)
    if claims:
        named = [name for judged in claims for name in judged.figures]
    else:
        named = [name for name, picture in known.items() if picture.has_data(evidence)]
    names = [*outcome_pictures(family), *named]
    return {name: known[name] for name in names}


def _summary(evidence: Evidence, claims: Sequence[JudgedClaim]) -> str:
    done = [row for row in evidence.rows if row.finished]
    text = _TRAINED.format(n=len(done), all=len(evidence.rows), last=show(evidence.last_epoch))
    if evidence.outcome:
        reached, failed = len(evidence.reached), len(evidence.failed)
        text += " " + _OUTCOMES.format(reached=reached, failed=failed, outcome=evidence.outcome)
    if len(done) < len(evidence.rows):
        unfinished = [f"{row.key} ({progress(row)})" for row in evidence.rows if not row.finished]
        text += " " + _UNFINISHED.format(open=shortened(", ".join(unfinished)))
    if not claims:
        return text
    tested = any(one.test for one in claims)
    rows = [
        [one.id, one.title, f"**{one.verdict}**", *([_p_values(one)] if tested else []), one.answer]
        for one in claims
    ]
    columns = ["", "claim or question", "verdict", *(["p (corrected)"] if tested else []), "what was found"]
    return f"{text}\n\n" + table(columns, rows)


def _p_values(judged: JudgedClaim) -> str:
    """Both p-values in a cell; a dash for a claim that is not tested."""
    test = judged.test
    if test is None:
        return "–"
    return "unknown" if math.isnan(test.p_value) else f"{show(test.p_value)} ({show(test.corrected)})"


def _claim(
    judged: JudgedClaim,
    pictures: Mapping[str, Picture],
    numbers: Mapping[str, int],
    shown: set[str],
    evidence: Evidence,
) -> str:
    """One claim; a figure stands where it is first referred to, and is referred to by number after that."""
    lines = [f"### {judged.id}. {judged.title}"]
    if judged.claim.question:
        lines.append(f"As a claim: {judged.claim.claim}")
    lines.append(f"**{judged.verdict.capitalize()}.** {judged.answer}")
    if judged.test:
        lines.append(f"**Test.** {judged.test.sentence}")
        if judged.test.power:
            lines.append(f"**Power.** {judged.test.power}")
    if judged.draws:
        lines.append(f"**Replicates.** {judged.draws.sentence}")
    if judged.control:
        lines.append(f"**{judged.control_title}.** {judged.control}")
    if judged.limits:
        lines.append(f"**What this can't say.** {judged.limits}")
    if judged.would_change:
        lines.append(f"**What would change it.** {judged.would_change}")
    lines.append(f"**Rule.** {judged.rule}")
    figures = judged.figures
    seen = [f"figure {numbers[name]}" for name in figures if name in shown]
    if seen:
        lines.append(f"See {' and '.join(seen)}.")
    lines += [_figure(name, pictures[name], numbers, evidence) for name in figures if name not in shown]
    shown.update(figures)
    return "\n\n".join(lines)


def _figure(name: str, picture: Picture, numbers: Mapping[str, int], evidence: Evidence) -> str:
    caption = f"Figure {numbers[name]}. {picture.said(evidence)}"
    return f"![{caption}]({name}.svg)\n\n*{caption}*"


def _run(store: Store, evidence: Evidence, family: Family) -> str:
    event = evidence.outcome
    said = f"{family.title}. Early means epoch {show(evidence.early_epoch)}."
    if event:
        rule = next((str(text) for text in evidence.table[event.rule] if text), "not known yet")
        said += f" {event.epoch_label.capitalize()}: {rule}."
    if evidence.crowded:
        said += f" {_CROWD.format(few=FEW)}"
    parts = [
        runs(evidence, family),
        draws(evidence),
        variance(evidence, family),
        computed_by(store, evidence),
    ]
    return "\n\n".join([f"## What was run\n\n{said}", *(part for part in parts if part)])


def _outcomes(family: Family, numbers: Mapping[str, int], evidence: Evidence) -> list[str]:
    """The figures of the outcome, which no claim needs to name."""
    pictures = outcome_pictures(family)
    return [_figure(name, picture, numbers, evidence) for name, picture in pictures.items()]


def _limits(evidence: Evidence, family: Family) -> str:
    """What so few variants can't show, by what was varied and what was not."""
    n, failures = len(evidence.rows), len(evidence.failed)
    lines = [_SMALLEST_P.format(n=n, p=show(smallest_p_value(n)))]
    if failures and evidence.outcome:
        lines.append(_FEW_FAILED.format(n=failures, outcome=evidence.outcome))
    elif evidence.outcome:
        lines.append(_NONE_FAILED)
    values = {f.name: {getattr(row.config, f.name) for row in evidence.rows} for f in family.fields}
    varied = [f"{len(found)} values of {name}" for name, found in values.items() if len(found) > 1]
    fixed = [name for name, found in values.items() if len(found) == 1]
    if varied:
        lines.append(_VARIED.format(fields=" and ".join(varied)))
    if fixed:
        lines.append(_FIXED.format(fields=", ".join(fixed)))
    listed = "\n".join(f"- {line}" for line in [*lines, _OBSERVED])
    variants = "one variant" if n == 1 else f"{n} variants"
    return f"## What {variants} can't show\n\n{listed}"
