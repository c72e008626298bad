"""What every analyzer of one checkpoint shares: weights, one forward pass on the probe, earlier results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


class Context(Protocol):
    """One checkpoint, as a family's analyzers see it. Families give their own type, with what they share."""

    @property
    def weights(self) -> Arrays:
        """Weights by name."""
        ...

    @property
    def results(self) -> dict[str, Arrays]:
        """Arrays of the analyzers that are done, by name; those that an analyzer requires are there."""
        ...
