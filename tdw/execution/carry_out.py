"""Carry out the cells that are to be done of one variant: each is committed, then yielded.

Hold the variant's lock. Cells go on when one of them fails; what is yielded is done, whatever follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.errors import Unreadable
from tdw.execution.adopt import adopt
from tdw.execution.done import Done, Failed
from tdw.inventory.cells import VariantGaps
from tdw.inventory.products import CHECKPOINT
from tdw.inventory.versions import NO_INPUT, DataVersion
from tdw.inventory.wanted import Wanted
from tdw.store import Store
from tdw.store.fingerprints import short

if TYPE_CHECKING:
    from tdw.training.progress import Progress


@dataclass(frozen=True)
class CellsToMake:
    """The cells to be done of one variant.

    Attributes:
        gaps: the state of its cells when the lock was taken.
        todo: product name -> epochs.
        chosen: a person chose these cells: green ones are made again, whatever their files are like.
        device: "auto", "cpu" or "cuda".
        on_progress: told how far training is.
        on_wait: called when another process trains the variant.
    """

    wanted: Wanted
    store: Store
    gaps: VariantGaps
    todo: Mapping[str, Collection[int]]
    chosen: bool = False
    device: str = "auto"
    on_progress: Callable[[Progress], None] | None = None
    on_wait: Callable[[], None] | None = None

    @property
    def variant(self) -> str:
        """Its key."""
        return self.gaps.variant

    def carry_out(self) -> Iterator[Done | Failed]:
        """Make the cells, or take over those that are there."""
        if CHECKPOINT in self.todo:
            yield from self._train()
        else:
            yield from self._analyze()

    def replay(self) -> None:
        """Make the history again, which is lost, from what is saved."""
        for _ in self._checkpoints(self.store.epochs(self.wanted.family.name, self.variant), redo=False):
            pass

    def _train(self) -> Iterator[Done]:
        known, asked = self.gaps.checkpoint.recorded, set(self.todo[CHECKPOINT])
        for redo, epochs in ((False, asked - known.keys()), (True, asked & known.keys())):
            for done in self._checkpoints(epochs, redo=redo) if epochs else ():
                # A cell that is there as recorded is not recorded twice, unless a person asked for it.
                if redo or known.get(done.epoch or 0) != done.version:
                    yield done

    def _checkpoints(self, epochs: Collection[int], *, redo: bool) -> Iterator[Done]:
        from tdw.training.loop import train

        settings = self.wanted.study.training
        for done in train(
            self.wanted.family.parse_variant(self.variant),
            store=self.store,
            checkpoints=sorted(epochs),
            device=self.device,
            state_every=settings.state_every,
            test_every=settings.test_every,
            redo=redo,
            on_progress=self.on_progress,
            on_wait=self.on_wait,
        ):
            fingerprint = short(done.fingerprint)
            yield Done(
                name=CHECKPOINT,
                variant=self.variant,
                epoch=done.epoch,
                version=DataVersion(self.wanted.checkpoint_spec(self.variant), NO_INPUT, fingerprint),
                path=done.path,
                metadata={
                    "epoch": done.epoch,
                    "train_loss": done.train_loss,
                    **done.metrics,
                    "seconds": round(done.seconds, 3),
                    "nbytes": done.nbytes,
                    "checkpoint_fingerprint": fingerprint,
                },
            )

    def _analyze(self) -> Iterator[Done | Failed]:
        from tdw.compute import one_thread
        from tdw.making.artifacts import analyze
        from tdw.training.environment import resolve_device

        todo = {name: set(epochs) for name, epochs in self.todo.items()}
        for found in list(self._adopted()):
            todo[found.name].discard(found.epoch or 0)
            yield found
        cells = {name: tuple(sorted(epochs)) for name, epochs in todo.items() if epochs}
        if not cells:
            return
        family, config = self.wanted.family, self.wanted.family.parse_variant(self.variant)
        with one_thread():
            for cell in analyze(
                self.store, family, config, cells,
                parameters=self.wanted.parameters, on_demand=self._on_demand(cells),
                device=resolve_device(self.device),
            ):  # fmt: skip
                if cell.error is not None or cell.written is None or cell.provenance is None:
                    error = cell.error or ValueError("nothing was written")
                    yield Failed(cell.analyzer, self.variant, error, cell.epoch)
                    continue
                spec, below = (
                    self.wanted.analyzer_specs[cell.analyzer],
                    cell.provenance.checkpoint_fingerprint,
                )
                version = DataVersion(spec, short(below), short(cell.written.sha256))
                metadata = {"epoch": cell.epoch, **cell.metadata}
                yield Done(cell.analyzer, self.variant, cell.epoch, version, metadata, cell.written.path)

    def _on_demand(self, cells: Mapping[str, Collection[int]]) -> Mapping[str, Collection[int]]:
        """Those of the cells whose arrays are not kept. A person who asks for one that is there brings its
        arrays back.
        """
        found: dict[str, Collection[int]] = {}
        for name, epochs in cells.items():
            brought_back = self.gaps.cells[name].recorded.keys() if self.chosen else ()
            found[name] = self.wanted.study.on_demand(name, epochs).difference(brought_back)
        return found

    def _adopted(self) -> Iterator[Done | Failed]:
        """Files that need no computing: sound, up to date, and not (or otherwise) recorded.

        A file that can't be read here is a failed cell: computing it again would replace what may be sound.
        """
        for name, epochs in self.todo.items():
            there = set(self.store.epochs(self.wanted.family.name, self.variant, name)) & set(epochs)
            if self.chosen:
                there -= self.gaps.cells[name].recorded.keys()
            for epoch in sorted(there):
                checkpoint = self.gaps.checkpoint.recorded.get(epoch)
                if checkpoint is None:
                    continue
                try:
                    found = adopt(self.wanted, self.store, self.variant, name, epoch, checkpoint)
                except Unreadable as error:
                    yield Failed(name, self.variant, error, epoch)
                    continue
                if found is not None:
                    yield found
