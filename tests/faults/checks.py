"""What has to hold after every fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tdw.errors import TdwError
from tdw.integrity.file_problems import FileProblem
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.store import Store, document_files
from tdw.store.formats import tablefile

from .outcome import Outcome
from .work import HISTORY, Tree

_PLOT = re.compile(r".*/plots/[^/]+")


class Watch:
    """Looks at a store after every death: nothing corrupt is visible, nothing committed is lost.

    The work is deterministic, so a file that a reader can see is right when it has the bytes that undisturbed
    work gives it. The history alone grows: it has to be readable, and every value in it final.

    Args:
        grows: in the path of what is made anew as its inputs grow, and right at the end.
        of_fewer: tables and plots of a variant may be made of fewer inputs than undisturbed work has, and
            then have other bytes until the end: the sensor has them made when the rest was tried too often.
    """

    def __init__(
        self, root: Path, reference: Path, outcome: Outcome, *, grows: str = "\0", of_fewer: bool = False
    ) -> None:
        self._grows, self._of_fewer = grows, of_fewer
        self._root, self._outcome = root, outcome
        self._reference_root, self._reference = reference, Tree.of(reference)
        self._seen: set[str] = set()
        self._known_histories: set[str] = set()

    def look(self, committed: list[str], *, when: str) -> None:
        """After a death, `committed` being what the dead had been told is committed."""
        tree = Tree.of(self._root)
        for path, digest in tree.digests.items():
            if path.endswith(HISTORY):
                if digest not in self._known_histories:
                    self._look_at_history(path, when)
                    self._known_histories.add(digest)
            elif self._grows not in path and digest != self._reference.digests.get(path):
                if self._of_fewer and self._has_fewer_inputs(path):
                    self._outcome.notes["tables and plots of fewer inputs, made anew later"] += 1
                    continue
                self._outcome.lose(
                    f"{when}: {path} is visible with other bytes than undisturbed work gives it"
                )
        self._seen |= set(committed)
        for path in sorted(self._seen - tree.digests.keys()):
            self._outcome.lose(f"{when}: {path} was committed and is gone")
            self._seen.discard(path)

    def finish(self) -> None:
        """After the last fill, when all is done."""
        tree = Tree.of(self._root)
        for path in tree.differs_from(self._reference):
            if "/states/" in path and path not in tree.digests:
                # Nothing that anyone asked for: the next replay starts from the state before it.
                self._outcome.notes["replay states that were not saved again"] += 1
            else:
                self._outcome.lose(f"at the end: {path} differs from undisturbed work")
        left: list[FileProblem] = []
        for finding in filter(None, (file.finding for file in verify(Store(self._root)))):
            if finding.problem == "temporary":
                left.append(finding)
            else:
                self._outcome.lose(f"at the end: {finding.problem}: {finding.path}: {finding.detail}")
        self._outcome.notes["temporary files left by the dead, found and deleted"] += sum(
            1 for one in repair(Store(self._root), left) if one.done == "deleted"
        )

    def _has_fewer_inputs(self, path: str) -> bool:
        """Whether a table or plot is sound and made of fewer, or other, inputs than undisturbed work has."""
        if "/summaries/" not in path and "/plots/" not in path:
            return False
        plot = _PLOT.match(path)
        main = f"{plot[0]}/manifest.json" if plot else path
        if plot and path != main and not self._is_visible(plot[0], path):
            return True  # its manifest was not written, or names newer files by now
        found, final = (_inputs(root / main) for root in (self._root, self._reference_root))
        return found is not None and final is not None and found != final

    def _is_visible(self, plot: str, path: str) -> bool:
        try:
            return document_files.read(self._root / plot).folder.name in path
        except TdwError:
            return False

    def _look_at_history(self, path: str, when: str) -> None:
        try:
            table = tablefile.decode((self._root / path).read_bytes(), path=path)[0]
        except TdwError as error:
            self._outcome.lose(f"{when}: {error.what}")
            return
        final = tablefile.decode((self._reference_root / path).read_bytes(), path=path)[0]
        both = table.merge(final, on="epoch", suffixes=("", "_final"), how="left")
        for name in ("train_loss", "test_loss", "test_accuracy"):
            known = both[name].notna()
            if not both.loc[known, name].equals(pd.Series(both.loc[known, f"{name}_final"], name=name)):
                self._outcome.lose(f"{when}: {path} has values of {name} that are not final")


def _inputs(path: Path) -> Mapping[str, str] | None:
    """What a table or plot was made from; None when it is not there or not sound."""
    try:
        if path.suffix == ".parquet":
            return tablefile.decode(path.read_bytes(), path=path)[1].inputs
        bundle = document_files.read(path.parent)
        for name in bundle.files:
            bundle.read(name)
        return bundle.provenance.inputs
    except (TdwError, OSError):
        return None
