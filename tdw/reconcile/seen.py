"""What the last look left behind, and which variants have news since."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field

from pydantic import TypeAdapter, ValidationError

from tdw.inventory.wanted import Wanted
from tdw.reconcile.runs import WorkInProgress
from tdw.store import Store
from tdw.store.fingerprints import fingerprint_json
from tdw.training.environment import code_version


@dataclass
class Seen:
    """What the last look left behind.

    Attributes:
        study: fingerprint of the study that was carried out.
        made_by: fingerprint of the code that makes it all; after an upgrade everything is looked at again.
        extra: epochs that its adaptive rule had added.
        event: newest recorded event at that time.
        marks: variant -> mark of its folders.
        left: variants that had something left to do.
        queue: variants that have to be looked at, and were not for lack of time.
        compared: whether what covers all variants was up to date.
        checked: mark of all files when checks were last asked for.
    """

    study: str = ""
    made_by: str = ""
    extra: list[int] = field(default_factory=list[int])
    event: int = -1
    marks: dict[str, str] = field(default_factory=dict[str, str])
    left: list[str] = field(default_factory=list[str])
    queue: list[str] = field(default_factory=list[str])
    compared: bool = False
    checked: str = ""

    @classmethod
    def read(cls, text: str | None) -> Seen:
        """From its JSON; an unreadable one counts as none."""
        try:
            return TypeAdapter(cls).validate_json(text or "{}", strict=True)
        except ValidationError:
            return cls()

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    def look_again(self, wanted: Wanted, store: Store, event: int) -> Seen:
        """What is there now; nothing is looked at yet."""
        return Seen(
            study=self.study,
            made_by=self.made_by,
            extra=self.extra,
            event=event,
            marks={variant: folder_mark(wanted, store, variant) for variant in wanted.variants},
            checked=self.checked,
        )

    def changed_since(self, before: Seen) -> list[str]:
        """Variants to look at: whose files changed and, if there are new events, those with work left."""
        news, queue, left = self.event != before.event, {*before.queue}, {*before.left}
        return [
            variant
            for variant, mark in self.marks.items()
            if variant in queue
            or mark != before.marks.get(variant)
            or (news and (variant in left or not mark))
        ]

    def why_nothing(self, busy: WorkInProgress | None = None) -> str:
        """Why nothing is asked for."""
        if self.queue:
            return f"{len(self.queue)} variants are looked at next time"
        if busy and busy.variants:
            return f"being worked on: {', '.join(sorted(busy.variants))}"
        if self.left:
            return f"something is left of {', '.join(self.left)}, and waits for a person or for news"
        number = len(self.marks)
        return f"nothing is missing in {number} {'variant' if number == 1 else 'variants'}"


def code_mark(wanted: Wanted) -> str:
    """Fingerprint of the code and parameters that make all products of a study."""
    derived = [[product.name, product.spec] for product in wanted.products if "/" in product.name]
    return fingerprint_json([code_version(wanted.family), wanted.analyzer_specs, derived])


def folder_mark(wanted: Wanted, store: Store, variant: str) -> str:
    """Changes whenever a file of the variant comes or goes: the folders' times. "" where there are none."""
    folder = f"{store.root}/{wanted.family.name}/{variant}"
    times: list[int] = []
    for kind in ("checkpoints", "summaries", "plots", *wanted.analyzers):
        try:
            times.append(os.stat(f"{folder}/{kind}").st_mtime_ns)  # noqa: PTH116 (of all, every few seconds)
        except OSError:
            times.append(0)
    return "-".join(f"{when:x}" for when in times)
