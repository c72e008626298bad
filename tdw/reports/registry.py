"""The reports over a study's variants that are assets: what each is, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tdw.recipes.family import Family
from tdw.reports import study_comparison, study_report
from tdw.store import Written
from tdw.study import Study


@dataclass(frozen=True)
class ReportAsset:
    """A report that is written again whenever a table changes.

    Attributes:
        name: "study_report": last part of its asset key and of its address.
        title, about: for people; `about` is Markdown.
        code_version: raised when the same tables would give another text.
        write: (store, family, configs, title=, early_epoch=, last_epoch=, study=) -> what was committed.
        made_by: (family, study) -> versions of further code behind the report, by name.
        about_outcome: only for families whose comparison has an outcome.
    """

    name: str
    title: str
    about: str
    code_version: str
    write: Callable[..., Written]
    made_by: Callable[[Family, Study], Mapping[str, str]] = field(default=lambda family, study: {})
    about_outcome: bool = False


REPORTS = (
    ReportAsset(
        study_report.NAME,
        "Study report",
        study_report.ABOUT,
        study_report.CODE_VERSION,
        study_report.write_study_report,
        study_report.made_by,
    ),
    ReportAsset(
        study_comparison.NAME,
        "Comparison report",
        study_comparison.ABOUT,
        study_comparison.CODE_VERSION,
        study_comparison.write_study_comparison,
        about_outcome=True,
    ),
)


def reports_of(family: Family) -> tuple[ReportAsset, ...]:
    """The reports that a family's studies have."""
    return tuple(report for report in REPORTS if family.outcome or not report.about_outcome)


def get_report(name: str) -> ReportAsset:
    """A report by its name; KeyError for none, which no user can cause."""
    return {report.name: report for report in REPORTS}[name]
