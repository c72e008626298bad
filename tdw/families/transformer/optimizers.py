"""Optimizers by torch's names, with parameter groups, clipping and a schedule; their state to save.

Muon orthogonalizes the update of each weight matrix inside the blocks (Jordan et al. 2024, "Muon: An
optimizer for hidden layers in neural networks"); everything else is AdamW's. Heads are joined for it, so that
it sees the (d_model, n_heads d_head) matrix of a linear layer. Its step is scaled as in Liu et al. 2025
(arXiv:2502.16982), which is meant to share learning rate and weight decay with AdamW.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.errors import CorruptFile
from tdw.families.transformer.optimizer_config import OptimizerConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Arrays = dict[str, npt.NDArray[Any]]

_SEPARATOR = "/"  # exp_avg/embed.W_E
_STEP = "step"


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

    def step(self) -> None:
        """One update along the gradients, which may be clipped in place."""
        import torch

        if self.config.clip is not None:
            torch.nn.utils.clip_grad_norm_(self._weights.values(), self.config.clip)
        for name, matrix in self._joined.items():
            gradient = self._weights[name].grad
            matrix.grad = None if gradient is None else _join(name, gradient)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.config.lr_at(self.steps)
            optimizer.step()  # pyright: ignore[reportUnknownMemberType]
        for name, matrix in self._joined.items():
            _split_into(name, matrix, self._weights[name])
        self.steps += 1

    def state_arrays(self) -> Arrays:
        """What the next steps depend on beside the weights: arrays `exp_avg/embed.W_E`, and `step`.

        They may share memory with the optimizer's until the next step.
        """
        arrays: Arrays = {_STEP: np.asarray(self.steps, np.int64)}
        for name, tensor in self._by_name.items():
            for optimizer in self._optimizers:
                for moment, value in optimizer.state.get(tensor, {}).items():
                    if moment != _STEP and value is not None:
                        arrays[f"{moment}{_SEPARATOR}{name}"] = value.detach().cpu().numpy()
        return arrays

    def load_state_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from `state_arrays` of an optimizer of the same settings; the weights are that step's.

        Raises:
            CorruptFile: an array of another shape, of no weight, or missing.
        """
        import torch

        state: dict[str, dict[str, Tensor]] = {}
        for key, array in arrays.items():
            if key == _STEP:
                continue
            moment, _, name = key.partition(_SEPARATOR)
            tensor = self._by_name.get(name)
            if tensor is None or tuple(tensor.shape) != tuple(array.shape):
                raise CorruptFile(
                    f"{key!r} fits no trained weight", "use the state of the same configuration"
                )
            # A copy: arrays out of a file may be read-only.
            state.setdefault(name, {})[moment] = torch.tensor(array, device=tensor.device)
        self.steps = int(arrays[_STEP])
        missing = [] if not self._keeps_moments(self.steps) else sorted(set(self._by_name) - set(state))
        if missing:
            raise CorruptFile(
                f"the state of step {self.steps} holds nothing of {', '.join(missing)}",
                "use the state of the same configuration",
            )
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                for tensor in group["params"]:
                    optimizer.state.pop(tensor, None)
        for name, moments in state.items():
            tensor = self._by_name[name]
            owner = next(
                o for o in self._optimizers if any(tensor is t for g in o.param_groups for t in g["params"])
            )
            if "exp_avg" in moments:
                moments[_STEP] = torch.tensor(float(self.steps), dtype=torch.float32, device=tensor.device)
            owner.state[tensor] = moments

    def _keeps_moments(self, steps: int) -> bool:
        return steps > 0 and not (self.config.name == "SGD" and self.config.momentum == 0)

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
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, fused=True)
    kind = torch.optim.Adam if config.name == "Adam" else torch.optim.AdamW
    return kind(groups, lr=config.lr, betas=config.betas, eps=config.eps, fused=True)


def _muon(config: OptimizerConfig, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    import torch

    return torch.optim.Muon(groups, lr=config.lr, momentum=config.momentum, adjust_lr_fn="match_rms_adamw")


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
