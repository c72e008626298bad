"""R1: the study report. Verdicts by stated rules, the numbers behind them, the figures, what can't be said.

Reads summaries only, so it takes seconds, and works with any number of variants in any state: what is not
known yet is undecided and named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.variant_tables import input_marks
from tdw.reports.appendix import appendix
from tdw.reports.claims import expected, hypotheses, questions
from tdw.reports.claims.finding import Finding, show
from tdw.reports.document import Document, as_files, commit
from tdw.reports.evidence import Evidence, Row, outcome, progress, read_evidence
from tdw.reports.figures import PICTURES, draw_all
from tdw.reports.page import table
from tdw.reports.sensitivity import read_fractions, sensitivity
from tdw.store import Store, Written
from tdw.summaries.statistics import smallest_p_value

NAME = "study_report"
CODE_VERSION = "5"
ABOUT = """\
What was run, each expected outcome, hypothesis and question with its verdict (supported, contradicted,
undecided), the numbers behind it and the figure. Verdicts are computed by the rules of
studies/eight_models/README.md; the relabelling control stands beside the claims that it tests. Written again
whenever a table changes.
"""
FINDINGS = "findings.json"
_SECTIONS = (
    ("## Expected outcomes\n\nReported for earlier runs of the same variants; here they are measured.", "E"),
    ("## Hypotheses", "H"),
    ("## Questions", "Q"),
)


@dataclass(frozen=True)
class Report(Document):
    """The study report.

    Attributes:
        findings: what it says, in its order.
        inputs: "<variant>/<summary>" -> hash of what that was made from.
    """

    findings: tuple[Finding, ...]
    inputs: Mapping[str, str]


def study_report(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    title: str = "Study report",
    early_epoch: int = 1000,
    last_epoch: int | None = None,
    study: Mapping[str, Any] | None = None,
) -> Report:
    """The report on some variants from what is stored now.

    Args:
        store: where summaries are read.
        family: of the variants.
        configs: of the study's variants, trained or not, in the study's order.
        title: of the report.
        early_epoch: at which "early" is read.
        last_epoch: of the study; None for the family's default.
        study: the study's settings, JSON-able, printed as they are.

    Raises:
        FingerprintMismatch: variants that were not computed alike; lists every difference.
        CorruptFile: names the file.
    """
    evidence = read_evidence(store, family, configs, early_epoch=early_epoch, last_epoch=last_epoch)
    findings = all_findings(evidence)
    pictures = {f"{name}.svg": data for name, data in draw_all(evidence).items()}
    numbered = {name: i + 1 for i, name in enumerate(_in_order(findings))}
    parts = [f"# {title}", _summary(evidence, findings), _run(evidence, family)]
    shown = set[str]()
    for heading, initial in _SECTIONS:
        parts.append(heading)
        parts += [_finding(f, numbered, shown) for f in findings if f.id.startswith(initial)]
    parts += [
        sensitivity(evidence, read_fractions(store, family, evidence)),
        _limits(evidence),
        appendix(evidence, study, about=family.comparison.description if family.comparison else ""),
    ]
    files = as_files(parts, title=title, pictures=pictures, numbers={FINDINGS: _for_programs(findings)})
    return Report(title, files, findings, input_marks(evidence.variants))


def write_study_report(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    title: str = "Study report",
    early_epoch: int = 1000,
    last_epoch: int | None = None,
    study: Mapping[str, Any] | None = None,
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
        parameters={"early_epoch": early_epoch, "last_epoch": last_epoch, "study": dict(study or {})},
        inputs=report.inputs,
    )


def all_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Every expected outcome, hypothesis and question, judged."""
    return (
        *expected.all_outcomes(evidence),
        *hypotheses.all_hypotheses(evidence),
        *questions.all_questions(evidence),
    )


def _summary(evidence: Evidence, findings: Sequence[Finding]) -> str:
    rows = [
        [
            finding.id,
            finding.question or finding.claim,
            f"**{finding.verdict}**",
            finding.render(finding.answer),
        ]
        for finding in findings
    ]
    done = [row for row in evidence.rows if row.finished]
    text = (
        f"{len(done)} of {len(evidence.rows)} variants are trained to epoch {show(evidence.last_epoch)}; "
        f"{len(evidence.grokked)} grokked, {len(evidence.failed)} did not by then."
    )
    if len(done) < len(evidence.rows):
        open_ = ", ".join(f"{row.key} ({progress(row)})" for row in evidence.rows if not row.finished)
        text += f" **Unfinished: {open_}.** Verdicts rest on what is there."
    return f"{text}\n\n" + table(["", "claim or question", "verdict", "what was found"], rows)


def _finding(finding: Finding, numbered: Mapping[str, int], shown: set[str]) -> str:
    """One finding; a figure stands where it is first referred to, and is referred to by number after that."""
    lines = [f"### {finding.id}. {finding.question or finding.claim}"]
    if finding.question:
        lines.append(f"As a claim: {finding.claim}")
    lines.append(f"**{finding.verdict.capitalize()}.** {finding.render(finding.answer)}")
    if finding.control:
        lines.append(f"**Relabelling control.** {finding.render(finding.control)}")
    if finding.limits:
        lines.append(f"**What this can't say.** {finding.render(finding.limits)}")
    lines.append(f"**What would change it.** {finding.render(finding.would_change)}")
    lines.append(f"**Rule.** {finding.rule}")
    seen = [f"figure {numbered[name]}" for name in finding.figures if name in shown]
    if seen:
        lines.append(f"See {' and '.join(seen)}.")
    for name in finding.figures:
        if name not in shown:
            caption = f"Figure {numbered[name]}. {PICTURES[name].caption}"
            lines.append(f"![{caption}]({name}.svg)\n\n*{caption}*")
            shown.add(name)
    return "\n\n".join(lines)


def _in_order(findings: Sequence[Finding]) -> list[str]:
    """Names of the figures in the order in which the report refers to them."""
    return list(dict.fromkeys(name for finding in findings for name in finding.figures))


def _for_programs(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Verdicts and numbers; None for what is not known or infinite."""
    return [
        {
            "id": finding.id,
            "claim": finding.claim,
            "question": finding.question,
            "verdict": finding.verdict,
            "numbers": {
                name: None if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in finding.numbers.items()
            },
        }
        for finding in findings
    ]


def _run(evidence: Evidence, family: Family) -> str:
    rows = [
        [
            row.key,
            f"{show(row.get('num_checkpoints'))} {progress(row)}",
            outcome(row),
            show(row.get("early_mean_coarseness")),
            show(row.get("early_num_blobs")),
            show(row.get("max_num_blobs")),
            show(row.get("final_num_blobs")),
            _rank(row),
        ]
        for row in evidence.rows
    ]
    columns = ["variant", "checkpoints", "grokking epoch", "mean coarseness, early", "blobs, early"]
    columns += ["blobs, most", "blobs, last", "rank of the labels, early"]
    rule = next((str(text) for text in evidence.table["rule"] if text), "not known yet")
    text = (
        f"## What was run\n\n{family.title}. Early means epoch {show(evidence.early_epoch)}. Grokking epoch: "
        f"{rule}. Blob: coarseness of at least 0.7.\n\n{table(columns, rows)}"
    )
    return text


def _rank(row: Row) -> str:
    rank = row.get("early_label_rank")
    return "unknown" if math.isnan(rank) else f"{show(rank)} of {show(row.get('num_labellings'))}"


def _limits(evidence: Evidence) -> str:
    n, failures = len(evidence.rows), len(evidence.failed)
    seeds = len({row.seed for row in evidence.rows})
    return f"""## What {n} variants can't show

- A rank correlation over {n} variants has an exact p-value of {show(smallest_p_value(n))} at the least; but
  variants share moduli and seeds, so they are fewer independent runs than {n}.
- {_of_failures(failures)}
- With {seeds} seeds a modulus, a property of a modulus can't be told from a property of its runs.
- One split of the data (data seed) was used: what depends on it looks like a property of the variant.
- {len(expected.MODULI)} moduli close to each other say nothing of others.
- Verdicts were not corrected for the number of claims: of twenty true null hypotheses one is "significant".
- Everything here is observed. Necessity and prevention are about what would happen otherwise, and take
  interventions."""


def _of_failures(failures: int) -> str:
    if not failures:
        return "No variant is known to have failed, so nothing can be said of what failure looks like."
    return f"{failures} did not grok: whatever parts so few from the rest may do so by chance."
