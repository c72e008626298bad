"""Where everything is: addresses of artifacts, tables and figures, and their paths below the store's root.

{family}/{variant}/checkpoints/00500.safetensors       weights, TransformerLens names
{family}/{variant}/states/01000.safetensors            weights and optimizer moments, for replay
{family}/{variant}/{analyzer}/00500.safetensors        one analyzer's arrays
{family}/{variant}/summaries/{name}.parquet            tables; the history is one of them
{family}/{variant}/plots/{name}/manifest.json          figure, preview and data
{family}/_comparison.{study}/...                       what covers the variants of a study
{family}/_comparison/...                               what covers several, and was made for no study
{family}/_studies/{study}.json                         what was settled for a study, such as extra epochs
_dashboards/{name}/00002.json                          a version of a dashboard; none is ever changed
.live/{family}/{variant}.npz                           history of a training that goes on; no artifact
.removed.*/                                            a folder that is about to be deleted
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tdw.errors import BadConfig

CHECKPOINTS = "checkpoints"
STATES = "states"
COMPARISON = "_comparison"
STUDIES = "_studies"
LIVE = ".live"
REMOVED = ".removed"  # how its name begins
DASHBOARDS = "_dashboards"
EPOCH_FILE = re.compile(r"([0-9]{5}|[1-9][0-9]{5,11})\.safetensors")
"""The name of an epoch's file, as `format_epoch` gives it; other files beside it are ignored."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")


def validate_name(name: str, *, what: str) -> str:
    """A name that can be a folder: no separators, no leading dot.

    Raises:
        BadConfig: anything else; no name from outside reaches a path without this.
    """
    if not is_name(name):
        raise BadConfig(
            f"{name[:80]!r} can't be the name of a {what}",
            "use letters, digits, '_', '-' and single dots, at most 128, not starting with a dot",
        )
    return name


def comparison_folder(study: str = "") -> str:
    """The folder, in place of a variant's, of what covers several: a study's (its slug), or no study's.

    Earlier versions wrote what they made for any study into the folder of none.
    """
    return f"{COMPARISON}.{study}" if study else COMPARISON


def compared_study(folder: str) -> str | None:
    """The study that a folder beside those of variants belongs to, "" for none; None where it compares
    nothing.
    """
    name, dot, study = folder.partition(".")
    return study if name == COMPARISON and bool(dot) == bool(study) else None


def is_name(name: str) -> bool:
    """Whether `validate_name` takes it."""
    return bool(_NAME.fullmatch(name)) and ".." not in name


def format_epoch(epoch: int) -> str:
    """The epoch's partition key and file name: zero-padded to five digits, so names sort as numbers do."""
    return f"{epoch:05d}"


@dataclass(frozen=True)
class Address:
    """One artifact: arrays of one (variant, epoch).

    Attributes:
        kind: "checkpoints", "states" or an analyzer's name.
    """

    family: str
    variant: str
    kind: str
    epoch: int

    @property
    def relative(self) -> str:
        """Path below the root."""
        return f"{folder(self.family, self.variant, self.kind)}/{format_epoch(self.epoch)}.safetensors"


@dataclass(frozen=True)
class TableAddress:
    """One table of a variant, or of several. The history's name is "history".

    Attributes:
        variant: its key, or the folder in place of one (`comparison_folder`); None for no study's.
    """

    family: str
    variant: str | None
    name: str

    @property
    def relative(self) -> str:
        """Path below the root."""
        where = folder(self.family, self.variant or COMPARISON, "summaries")
        return f"{where}/{validate_name(self.name, what='table')}.parquet"


@dataclass(frozen=True)
class RecordAddress:
    """What was settled for one study, as a small JSON record."""

    family: str
    study: str

    @property
    def relative(self) -> str:
        """Path below the root."""
        family = validate_name(self.family, what="family")
        return f"{family}/{STUDIES}/{validate_name(self.study, what='study')}.json"


@dataclass(frozen=True)
class DashboardAddress:
    """One version of a dashboard, from 1."""

    name: str
    version: int

    @property
    def relative(self) -> str:
        """Path below the root."""
        return f"{dashboard_folder(self.name)}/{self.version:05d}.json"


def dashboard_folder(name: str) -> str:
    """The folder, below the root, of all versions of a dashboard."""
    return f"{DASHBOARDS}/{validate_name(name, what='dashboard')}"


def folder(family: str, variant: str, kind: str) -> str:
    """The folder, below the root, of all epochs of a kind."""
    return "/".join(
        (
            validate_name(family, what="family"),
            validate_name(variant, what="variant"),
            validate_name(kind, what="artifact kind"),
        )
    )


def natural_order(key: str) -> list[tuple[int, str]]:
    """Sorts variant keys by the numbers in them: p59 before p113."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", key)]
