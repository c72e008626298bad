"""What has to hold after every fault."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tdw.errors import TdwError
from tdw.integrity.file_problems import FileProblem
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.store import Store, tablefile

from .outcome import Outcome
from .work import HISTORY, Tree


class Watch:
    """Looks at a store after every death: nothing corrupt is visible, nothing committed is lost.

    The work is deterministic, so a file that a reader can see is right when it has the bytes that undisturbed
    work gives it. The history alone grows: it has to be readable, and every value in it final.

    Args:
        grows: in the path of what is made anew as its inputs grow, and right at the end.
    """

    def __init__(self, root: Path, reference: Path, outcome: Outcome, *, grows: str = "\0") -> None:
        self._grows = grows
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
