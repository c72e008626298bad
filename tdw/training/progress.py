"""Progress of a training as a value, and in a log."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tdw.training.stretches import Stretch


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        variant: its key.
        epoch, last_epoch: where it is, and where this run ends.
        steps_done, steps_total: optimizer steps of this run.
        train_loss: of the weights at `epoch`.
        metrics: the family's, by name, at the last evaluated epoch.
        rate: epochs per second, of this run so far; 0 before the first step.
        note: what else is to be known, such as why a slower form of the network is used; "" for nothing.
    """

    variant: str
    epoch: int
    last_epoch: int
    steps_done: int
    steps_total: int
    train_loss: float
    metrics: Mapping[str, float]
    rate: float
    note: str = ""

    @property
    def seconds_left(self) -> float:
        """Estimated; infinite before the first step."""
        return (self.steps_total - self.steps_done) / self.rate if self.rate else math.inf

    def __str__(self) -> str:
        first = next(iter(self.metrics.items()), None)
        shown = f"{first[0].replace('_', ' ')} {first[1]:.3e}  " if first else ""
        left = "?" if math.isinf(self.seconds_left) else format_seconds(self.seconds_left)
        return (
            f"{self.variant}  epoch {self.epoch}/{self.last_epoch}  train {self.train_loss:.3e}  "
            f"{shown}{self.rate:.1f} epochs/s  {left} left" + (f"  ({self.note})" if self.note else "")
        )


class Reporter:
    """Counts the steps of a run and calls back about twice a second, and at the end."""

    def __init__(
        self,
        variant: str,
        stretches: Sequence[Stretch],
        callbacks: Sequence[Callable[[Progress], None]],
        *,
        metrics: tuple[str, ...] = (),
        note: str = "",
        every_s: float = 0.5,
    ) -> None:
        self._variant, self._callbacks, self._every_s = variant, callbacks, every_s
        self._last_epoch = stretches[-1].stop
        self._total = sum(stretch.steps for stretch in stretches)
        self._left = list(stretches)
        self._done_before = 0
        self._names, self._note = metrics, note
        self._metrics = dict.fromkeys(metrics, math.nan)
        self._start: float | None = None
        self._called = -math.inf

    def report(
        self, epoch: int, train_loss: float, metrics: tuple[float, ...] | None, *, at_end: bool
    ) -> None:
        """Tell that `epoch` was visited; `at_end`: the present stretch is done."""
        now = time.monotonic()
        if self._start is None:
            self._start = now  # at the first measured epoch: compiling and loading are not the rate
        if metrics is not None:
            self._metrics = dict(zip(self._names, metrics, strict=True))
        stretch = self._left[0]
        done = self._done_before + max(epoch - stretch.start, 0)
        if at_end:
            self._done_before += stretch.steps
            self._left.pop(0)
        finished = at_end and not self._left
        if not self._callbacks or (now - self._called < self._every_s and not finished):
            return
        self._called = now
        progress = Progress(
            variant=self._variant,
            epoch=epoch,
            last_epoch=self._last_epoch,
            steps_done=done,
            steps_total=self._total,
            train_loss=train_loss,
            metrics=self._metrics,
            rate=done / (now - self._start) if now > self._start else 0.0,
            note=self._note,
        )
        for callback in self._callbacks:
            callback(progress)


def format_seconds(seconds: float) -> str:
    """45 s, 3 min 20 s, 1 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def log_progress(logger: logging.Logger, *, every_s: float = 30.0) -> Callable[[Progress], None]:
    """Logs progress at most every `every_s` seconds, and when the run is done."""
    last = -math.inf

    def log(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every_s or progress.steps_done >= progress.steps_total:
            last = now
            logger.info("%s", progress)

    return log
