"""S6: windows of a training run, and what became of it, by rules relative to the run itself.

No rule names a loss in nats or an epoch: each level is a share of the train loss at the first epoch or of the
highest test loss, each time is compared with another time of the run. With L0 the train loss at the first
evaluated epoch, P the highest test loss, and the shares of `Rules` (defaults in brackets):

- *memorization* ends at the first epoch at which train loss is at most `memorized` (0.01) L0;
- the *fall* of test loss starts at the first epoch after the peak at which it is at most `fall_starts` (0.8)
  P, and ends at the first one after that at which it is at most `fall_ends` (0.01) P;
- the *plateau* lies between memorization and fall, where there is time between them;
- *after* lies between the end of the fall and the last evaluated epoch.

Outcomes, the first that applies:

- `no memorization`: train loss never fell that far;
- `no second descent`: the fall never started;
- `unfinished descent`: it started and did not end;
- `rebound`: after the end of the fall, test loss was at or above `rebounds` (0.1) P again;
- `together`: the fall ended within `together` (2) times the epochs that memorization took, without a delay;
- `late`: it ended beyond `late` (0.5) of the run;
- `delayed`: it ended with a delay and in time, and stayed down: grokking.

What is late depends on how long the run was; compare `late` between runs of one length only.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig, NotFound
from tdw.parameters import is_number, require

OUTCOMES = (
    "no memorization",
    "no second descent",
    "unfinished descent",
    "rebound",
    "together",
    "late",
    "delayed",
)


@dataclass(frozen=True)
class Rules:
    """The shares that decide; see the module's text.

    Attributes:
        memorized: share of the first train loss.
        fall_starts, fall_ends, rebounds: shares of the highest test loss.
        together: multiple of the time that memorization took.
        late: share of the run.

    Raises:
        BadConfig: shares outside 0..1 or in a senseless order.
    """

    memorized: float = 0.01
    fall_starts: float = 0.8
    fall_ends: float = 0.01
    rebounds: float = 0.1
    together: float = 2.0
    late: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            require(is_number(value), field.name, value, wanted="a number")
        if not 0 < self.fall_ends < self.rebounds <= self.fall_starts < 1:
            raise BadConfig(
                f"fall_ends {self.fall_ends}, rebounds {self.rebounds} and fall_starts {self.fall_starts} "
                "do not ascend between 0 and 1",
                "choose 0 < fall_ends < rebounds <= fall_starts < 1",
            )
        if not (0 < self.memorized < 1 and 0 < self.late < 1 and self.together >= 1):
            raise BadConfig(
                f"memorized is {self.memorized}, late {self.late}, together {self.together}",
                "choose memorized and late between 0 and 1, together at least 1",
            )

    @property
    def text(self) -> str:
        """The rules in words, for a figure."""
        return (
            f"memorized ≤ {self.memorized:g} of the first train loss; "
            f"fall from {self.fall_starts:g} to {self.fall_ends:g} of the highest test loss; "
            f"rebound ≥ {self.rebounds:g}; together ≤ {self.together:g} × memorization; "
            f"late > {self.late:g} of the run"
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a run. Epochs are those evaluated; None where the event did not happen.

    Attributes:
        outcome: one of `OUTCOMES`.
        memorized_epoch: end of memorization.
        peak_epoch, peak_test_loss: of the highest test loss (nats).
        fall_start_epoch, fall_end_epoch: of test loss.
        rebound_epoch: the first after the fall's end with a rebound.
        last_epoch: the last one at which both losses were evaluated.
    """

    outcome: str
    memorized_epoch: int | None
    peak_epoch: int
    peak_test_loss: float
    fall_start_epoch: int | None
    fall_end_epoch: int | None
    rebound_epoch: int | None
    last_epoch: int

    @property
    def windows(self) -> dict[str, tuple[int, int]]:
        """First and last epoch of each window there is: memorization, plateau, fall, after."""
        found: dict[str, tuple[int, int]] = {}
        memorized, start, end = self.memorized_epoch, self.fall_start_epoch, self.fall_end_epoch
        if memorized is not None:
            found["memorization"] = (0, memorized)
            plateau_end = self.last_epoch if start is None else start
            if plateau_end > memorized:
                found["plateau"] = (memorized, plateau_end)
        if start is not None:
            found["fall"] = (start, self.last_epoch if end is None else end)
        if end is not None:
            found["after"] = (end, self.last_epoch)
        return found


def classify(
    epochs: npt.NDArray[np.integer],
    train_loss: npt.NDArray[np.floating],
    test_loss: npt.NDArray[np.floating],
    *,
    rules: Rules | None = None,
) -> Outcome:
    """Windows and outcome of one run.

    Args:
        epochs: (T,), ascending.
        train_loss, test_loss: (T,), nats; NaN where it was not evaluated. Epochs with both count.
        rules: the shares.

    Raises:
        NotFound: no epoch has both losses.
    """
    shares = rules or Rules()
    known = ~(np.isnan(train_loss) | np.isnan(test_loss))
    if not known.any():
        raise NotFound("the history has no epoch with train and test loss", "train to a checkpoint first")
    at, train, test = epochs[known], train_loss[known], test_loss[known]
    peak = int(test.argmax())
    highest = float(test[peak])
    memorized = _first(train <= shares.memorized * train[0])
    start = _first(test <= shares.fall_starts * highest, peak)
    end = None if start is None else _first(test <= shares.fall_ends * highest, start)
    rebound = None if end is None else _first(test >= shares.rebounds * highest, end)
    epoch_of = [None if index is None else int(at[index]) for index in (memorized, start, end, rebound)]
    return Outcome(
        outcome=_outcome(epoch_of[0], epoch_of[1], epoch_of[2], epoch_of[3], last=int(at[-1]), rules=shares),
        memorized_epoch=epoch_of[0],
        peak_epoch=int(at[peak]),
        peak_test_loss=highest,
        fall_start_epoch=epoch_of[1],
        fall_end_epoch=epoch_of[2],
        rebound_epoch=epoch_of[3],
        last_epoch=int(at[-1]),
    )


def _outcome(
    memorized: int | None,
    start: int | None,
    end: int | None,
    rebound: int | None,
    *,
    last: int,
    rules: Rules,
) -> str:
    if memorized is None:
        return "no memorization"
    if start is None:
        return "no second descent"
    if end is None:
        return "unfinished descent"
    if rebound is not None:
        return "rebound"
    if end <= rules.together * memorized:
        return "together"
    return "late" if end > rules.late * last else "delayed"


def _first(holds: npt.NDArray[np.bool_], after: int = 0) -> int | None:
    """Index of the first True at or beyond `after`."""
    found = np.flatnonzero(holds[after:])
    return int(found[0]) + after if found.size else None
