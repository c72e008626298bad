"""The train loss as a pure function of weights, and that of many variants with a leading axis over them.

`torch.vmap` carries a family's own function over the axis: a batched product of matrices where a variant has
a product. No number of a variant meets one of another, so what diverges stays alone. On CUDA, loss and
gradients are captured once as a graph and then replayed: launching small kernels is what costs there.
"""

# torch.func is untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Tensors = Mapping[str, "Tensor"]
_WARM_UP = 3  # runs before a capture, as torch's documentation of graphs has it


@dataclass(frozen=True)
class PureLoss:
    """A variant's train loss as a function that knows no variant: all that is a variant's own are tensors.

    Attributes:
        function: (trained weights, tensors) -> the train loss, 0-d; differentiable, and made of operations
            that `torch.vmap` knows.
        tensors: epoch -> the batch of that epoch, on the device.
        trained: names of the weights that training changes.
        kind: what else decides the function, equal for variants that may be computed together.
        fixed: the tensors are the same at every epoch.
    """

    function: Callable[[Tensors, Tensors], Tensor]
    tensors: Callable[[int], Tensors]
    trained: tuple[str, ...]
    kind: Hashable = None
    fixed: bool = True


class StackedLoss:
    """Losses and gradients of variants of one shape, as one program.

    Args:
        losses: of each variant.
        weights: the trained ones by name, stacked: (variants, ...). Changed in place between two calls, never
            replaced.
    """

    def __init__(self, losses: Sequence[PureLoss], weights: Tensors) -> None:
        from torch.func import grad_and_value, vmap

        self._losses, self._weights = losses, weights
        self._compute: Any = vmap(grad_and_value(losses[0].function))
        self._tensors: dict[str, Tensor] = {}
        self._graph: torch.cuda.CUDAGraph | None = None
        self._found: tuple[Tensor, dict[str, Tensor]]

    def losses_and_gradients(self, epochs: Sequence[int]) -> tuple[list[float], dict[str, Tensor]]:
        """The loss of each variant at its epoch, and the gradients by name, (variants, ...), contiguous.

        The gradients may be overwritten by the next call.
        """
        self._load(epochs)
        if next(iter(self._weights.values())).device.type != "cuda":
            self._found = self._run()
        elif self._graph is None:
            self._capture()
        if self._graph is not None:
            self._graph.replay()
        losses, gradients = self._found
        return cast("list[float]", losses.tolist()), gradients

    def _load(self, epochs: Sequence[int]) -> None:
        """Put the variants' batches where a captured graph reads them."""
        import torch

        if self._tensors and all(loss.fixed for loss in self._losses):
            return
        each = [loss.tensors(epoch) for loss, epoch in zip(self._losses, epochs, strict=True)]
        for name in each[0]:
            stacked = torch.stack([tensors[name] for tensors in each])
            if name in self._tensors:
                self._tensors[name].copy_(stacked)
            else:
                self._tensors[name] = stacked

    def _run(self) -> tuple[Tensor, dict[str, Tensor]]:
        gradients, losses = self._compute(dict(self._weights), self._tensors)
        # Transposed views come out too; the fused optimizers read memory in the weight's order.
        return losses, {name: gradient.contiguous() for name, gradient in gradients.items()}

    def _capture(self) -> None:
        """Record loss and gradients as a CUDA graph."""
        import torch

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                self._run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._found = self._run()
        self._graph = graph
