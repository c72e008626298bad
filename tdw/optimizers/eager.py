"""torch's optimizers without torch's compiler.

At an optimizer's first use torch imports `torch._dynamo`, to keep its compiler out of the optimizer. That
takes two seconds of a core in every process that trains, and nothing here is compiled. Both functions go
around the decorators that import it; `tests/contract/test_torch_internals.py` holds what they rely on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_MARK = (
    "__dynamo_disable"  # torch/_compile.py: where it keeps what to call instead, once the compiler is there
)


def build(make: Callable[[], torch.optim.Optimizer]) -> torch.optim.Optimizer:
    """The optimizer that `make` builds."""
    import torch

    add_group: Any = inspect.unwrap(torch.optim.Optimizer.add_param_group)  # pyright: ignore[reportUnknownMemberType]
    if hasattr(add_group, _MARK):
        return make()
    setattr(add_group, _MARK, add_group)
    try:
        return make()
    finally:
        delattr(add_group, _MARK)  # whoever compiles in this process finds torch as it was


def step(optimizer: torch.optim.Optimizer) -> None:
    """One update along the gradients; hooks on the optimizer are not called."""
    import torch

    plain: Any = inspect.unwrap(type(optimizer).step)  # pyright: ignore[reportUnknownMemberType]
    with torch.no_grad():
        plain(optimizer)
