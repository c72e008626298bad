"""Optimizers by torch's names, with parameter groups, clipping and a schedule; their state to save.

Muon orthogonalizes the update of each weight matrix inside the blocks (Jordan et al. 2024, "Muon: An
optimizer for hidden layers in neural networks"); everything else is AdamW's. Heads are joined for it, so that
it sees the (d_model, n_heads d_head) matrix of a linear layer. Its step is scaled as in Liu et al. 2025
(arXiv:2502.16982), which is meant to share learning rate and weight decay with AdamW.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tdw.errors import CorruptFile
from tdw.optimizers import eager
from tdw.optimizers.config import OptimizerConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Arrays = dict[str, npt.NDArray[Any]]

_SEPARATOR = "/"  # exp_avg/embed.W_E
_STEP = "step"
_SAME = "use the state of the same configuration"


class Optimizer:
    """Steps the trained weights in place along their `.grad`.

    Args:
        config: the settings.
        weights: by name; the trained ones are changed in place.
        trained: names of the trained weights, in order.
        matrices: names that decay under "matrices".
        hidden: names that Muon orthogonalizes; 2-D, or 3-D with a matrix per head.
    """

    def __init__(
        self,
        config: OptimizerConfig,
        weights: Mapping[str, Tensor],
        *,
        trained: Iterable[str],
        matrices: Iterable[str] = (),
        hidden: Iterable[str] = (),
    ) -> None:
        self.config = config
        self.steps = 0
        self._weights = {name: weights[name] for name in trained}
        decayed = frozenset(self._weights if config.decay == "all" else matrices)
        by_muon = [name for name in hidden if name in self._weights] if config.name == "Muon" else []
        self._joined = {name: _join(name, self._weights[name]) for name in by_muon}
        self._by_name = {**self._weights, **self._joined}
        plain = [name for name in self._weights if name not in self._joined]
        self._optimizers = [_build(config, self._groups(plain, decayed))] if plain else []
        if self._joined:
            self._optimizers.append(_muon(config, self._groups(by_muon, decayed)))

    @property
    def settings(self) -> Hashable:
        """The configuration, where an update looks at one number alone; None for Muon and with clipping."""
        return None if self.config.name == "Muon" or self.config.clip is not None else self.config

    def step(self) -> None:
        """One update along the gradients, which may be clipped in place."""
        import torch

        if self.config.clip is not None:
            torch.nn.utils.clip_grad_norm_(self._weights.values(), self.config.clip)
        for name, matrix in self._joined.items():
            gradient = self._weights[name].grad
            matrix.grad = None if gradient is None else _join(name, gradient)
            # Whoever owns the weights may have changed them since the last step; otherwise the same bits.
            matrix.copy_(_join(name, self._weights[name]))
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.config.lr_at(self.steps)
            eager.step(optimizer)
        for name, matrix in self._joined.items():
            _split_into(name, matrix, self._weights[name])
        self.steps += 1

    def state_arrays(self) -> Arrays:
        """What the next steps depend on beside the weights and their epoch: arrays `exp_avg/embed.W_E`.

        They may share memory with the optimizer's until the next step.
        """
        arrays: Arrays = {}
        for name, tensor in self._by_name.items():
            for moment, value in self._owner(tensor).state.get(tensor, {}).items():
                if moment != _STEP and value is not None:
                    arrays[f"{moment}{_SEPARATOR}{name}"] = value.detach().cpu().numpy()
        return arrays

    def state_shapes(self, steps: int) -> dict[str, tuple[int, ...]]:
        """Shapes of `state_arrays` after so many steps; all of them are float32."""
        shapes: dict[str, tuple[int, ...]] = {}
        for name, tensor in self._by_name.items():
            moments = self._moments(joined=name in self._joined) if steps else ()
            shapes |= {f"{moment}{_SEPARATOR}{name}": tuple(tensor.shape) for moment in moments}
        return shapes

    def load_state_arrays(self, arrays: Mapping[str, npt.NDArray[Any]], *, steps: int) -> None:
        """Go on from `state_arrays` of an optimizer of the same settings; the weights are that step's.

        Args:
            arrays: by name.
            steps: updates that the weights have had.

        Raises:
            CorruptFile: an array of another shape, of no weight, or missing.
        """
        import torch

        shapes = self.state_shapes(steps)
        wrong = [name for name, array in arrays.items() if shapes.get(name) != tuple(array.shape)]
        if wrong:
            raise CorruptFile(f"{wrong[0]!r} fits no trained weight", _SAME)
        missing = sorted(set(shapes) - set(arrays))
        if missing:
            raise CorruptFile(f"the state of step {steps} lacks {', '.join(missing[:4])}", _SAME)
        self.steps = steps
        for name, tensor in self._by_name.items():
            # Copies: arrays out of a file may be read-only.
            state: dict[str, Tensor] = {
                moment: torch.tensor(arrays[f"{moment}{_SEPARATOR}{name}"], device=tensor.device)
                for moment in (self._moments(joined=name in self._joined) if steps else ())
            }
            if "exp_avg" in state:
                state[_STEP] = torch.tensor(float(steps), dtype=torch.float32, device=tensor.device)
            owner = self._owner(tensor)
            owner.state.pop(tensor, None)
            if state:
                owner.state[tensor] = state

    def _moments(self, *, joined: bool) -> tuple[str, ...]:
        if joined:
            return ("momentum_buffer",)
        if self.config.name == "SGD":
            return ("momentum_buffer",) if self.config.momentum else ()
        return ("exp_avg", "exp_avg_sq")

    def _owner(self, tensor: Tensor) -> torch.optim.Optimizer:
        groups = ((o, group["params"]) for o in self._optimizers for group in o.param_groups)
        return next(owner for owner, params in groups if any(tensor is other for other in params))

    def _groups(self, names: list[str], decayed: frozenset[str]) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = []
        for decays in (True, False):
            tensors = [self._by_name[name] for name in names if (name in decayed) is decays]
            if tensors:
                groups.append(
                    {"params": tensors, "weight_decay": self.config.weight_decay if decays else 0.0}
                )
        return groups


def _build(config: OptimizerConfig, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    import torch

    # Fused: one kernel over all tensors; the same numbers as the loop over single operations.
    if config.name == "SGD":
        return eager.build(
            lambda: torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, fused=True)
        )
    kind = torch.optim.Adam if config.name == "Adam" else torch.optim.AdamW
    return eager.build(lambda: kind(groups, lr=config.lr, betas=config.betas, eps=config.eps, fused=True))


def _muon(config: OptimizerConfig, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    import torch

    return eager.build(
        lambda: torch.optim.Muon(
            groups, lr=config.lr, momentum=config.momentum, adjust_lr_fn="match_rms_adamw"
        )
    )


def _join(name: str, weight: Tensor) -> Tensor:
    """A copy of a weight as one matrix: heads side by side, or for W_O one below the other."""
    if weight.ndim == 2:
        return weight.detach().clone()
    if name.endswith("W_O"):
        return weight.detach().flatten(0, 1).clone()
    return weight.detach().transpose(0, 1).flatten(1).contiguous()


def _split_into(name: str, matrix: Tensor, weight: Tensor) -> None:
    """Write a joined matrix back into the weight."""
    if weight.ndim == 3 and not name.endswith("W_O"):
        heads, _, d_head = weight.shape
        matrix = matrix.view(-1, heads, d_head).transpose(0, 1)
    weight.detach().copy_(matrix.reshape(weight.shape))
