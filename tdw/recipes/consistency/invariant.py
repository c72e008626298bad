"""The invariant: one model, one probe, one way of computing in everything that is put together.

Whatever joins results (a series, a figure, a comparison, replay) notes what it reads in an `Invariant`.
Values that should be the same and are not are refused together, in one error that says where each is.
"""

from __future__ import annotations

from collections.abc import Iterable

from tdw.epochs import format_epochs
from tdw.errors import FingerprintMismatch
from tdw.store import Provenance
from tdw.store.fingerprints import canonical_json, short

MODEL = ("family", "variant", "variant_fingerprint", "probe_fingerprint")
WAY = ("code_version", "parameters")
REMEDY = "compute what is out of date again: `tdw fill --out-of-date`"
_SHOWN = 20

Place = int | str
"""An epoch, or words such as "in summaries/coarseness"."""


class Invariant:
    """Collects values that have to be the same.

    Args:
        refusal: how the error begins: what can't be put together.
        remedy: what to do about it.
    """

    def __init__(self, refusal: str, *, remedy: str = REMEDY) -> None:
        self._refusal, self._remedy = refusal, remedy
        self._found: dict[str, dict[str, list[Place]]] = {}

    def note(self, what: str, value: object, place: Place) -> None:
        """`what` has this value there; JSON-able."""
        shown = value if isinstance(value, str) else canonical_json(value)
        self._found.setdefault(what, {}).setdefault(shown, []).append(place)

    def note_model(self, record: Provenance, place: Place) -> None:
        """The model and the probe of a file."""
        for field in MODEL:
            self.note(field, getattr(record, field), place)

    def note_way(self, record: Provenance, place: Place) -> None:
        """The code and the parameters that made an artifact."""
        for field in WAY:
            self.note(f"{field} of {record.name}", getattr(record, field), place)

    def first(self, what: str) -> str:
        """The value that was noted first; "" when none was."""
        return next(iter(self._found.get(what, ())), "")

    def hold(self) -> None:
        """Raise FingerprintMismatch, which lists every difference, unless all values are the same."""
        differences = [
            f"{what}: " + "; ".join(f"{_show(value)} {_where(places)}" for value, places in found.items())
            for what, found in self._found.items()
            if len(found) > 1
        ]
        if differences:
            more = len(differences) - _SHOWN
            lines = differences[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
            raise FingerprintMismatch("\n  ".join([f"{self._refusal}:", *lines]), self._remedy)


def require_one_model(series: Iterable[Iterable[Provenance]]) -> None:
    """Hold several analyzers' artifacts to one model and probe, and each analyzer's to one way of computing.

    Raises:
        FingerprintMismatch: lists every difference, with the epochs of both values, and the remedy.
    """
    invariant = Invariant(
        "artifacts of different models, or computed in different ways, can't be shown together"
    )
    for records in series:
        for record in records:
            place = record.epoch if record.epoch is not None else "over all epochs"
            invariant.note_model(record, place)
            invariant.note_way(record, place)
    invariant.hold()


def require_configuration(record: Provenance, fingerprint: str, *, path: object) -> None:
    """Raise FingerprintMismatch unless a file was made with the configuration of this fingerprint."""
    invariant = Invariant(
        f"{path}: made with another configuration than {record.variant} has now",
        remedy="the family's definition changed: use another store, or the version of tdw that made the file",
    )
    invariant.note("configuration", record.variant_fingerprint, "in the file")
    invariant.note("configuration", fingerprint, f"for {record.variant}")
    invariant.hold()


def _show(value: str) -> str:
    return (short(value) if len(value) == 64 else value) or "not recorded"


def _where(places: Iterable[Place]) -> str:
    listed = list(places)
    epochs = [place for place in listed if isinstance(place, int)]
    words = list(dict.fromkeys(place for place in listed if isinstance(place, str)))
    shown = [f"at epoch{'s' if len(epochs) > 1 else ''} {format_epochs(epochs)}"] if epochs else []
    shown += words[:5] + ([f"and {len(words) - 5} more"] if len(words) > 5 else [])
    return ", ".join(shown)
