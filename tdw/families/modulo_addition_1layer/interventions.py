"""Interventions (T13): fields of a variant that act on its weights at the start and after every step.

They are pure functions of the configuration, the epoch and the weights at hand, so a replay from any saved
state gives the same bits, and every form of the network serves them. `model/intervene.py` carries them out.

What is low depends on the names of the residues, which the task does not see. `names` = c speaks of the names
of the relabelling control (A12): low up to K are the frequencies k with c k = ±1, ..., ±K mod p. All c are
alike to the task, so c = 2, 3, ... are the control of an intervention with c = 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tdw.errors import BadConfig
from tdw.families.keyed_config import MAX_STEPS, KeyedConfig
from tdw.families.keys import KeyField
from tdw.parameters import require_whole_numbers

NONE = "none"
_WANTS = {"planted_k": "planted_neurons", "freeze_from": "freeze", "ablate_from": "ablate"}
_ATTENTION = ("W_Q", "W_K", "W_V", "W_O")
_MATRICES = {
    "WE": "embed.W_E",
    "Wpos": "pos_embed.W_pos",
    **{name.replace("_", ""): f"blocks.0.attn.{name}" for name in _ATTENTION},
    "Win": "blocks.0.mlp.W_in",
    "Wout": "blocks.0.mlp.W_out",
    "WU": "unembed.W_U",
}
_CARRIES_THE_INPUTS = ("WE", "WV", "WO", "WU")
_HEAD = re.compile(r"head(0|[1-9]\d*)")
_NEURONS = re.compile(r"neurons(0|[1-9]\d*)-(0|[1-9]\d*)")
COMPONENTS = f"{', '.join(_MATRICES)} (a key has no room for W_E's underscore), head0, neurons0-63"

Part = tuple[str, tuple[Any, ...]]
"""A weight by name, and the index of what is meant of it."""

KEY = (
    KeyField(
        "planted_neurons",
        "planted",
        "intervention: so many neurons, the first ones, begin with a low-frequency pattern",
    ),
    KeyField("planted_k", "plantedk", "the planted patterns have the frequencies 1 to this"),
    KeyField(
        "barred_k",
        "barred",
        "intervention: W_E has no component of frequency 1 to this, at any epoch; 0 for no bar",
    ),
    KeyField(
        "names", "names", "c: planted_k and barred_k are of the residues' names x / c mod p; 1 to (p-1)/2"
    ),
    KeyField("freeze", "freeze-", f"intervention: a component that stays as it is: {COMPONENTS}"),
    KeyField("freeze_from", "freezefrom", "checkpoint whose weights a frozen component keeps"),
    KeyField("ablate", "ablate-", "intervention: a component whose weights are zero; named as for freeze"),
    KeyField("ablate_from", "ablatefrom", "first checkpoint without an ablated component"),
)


@dataclass(frozen=True, kw_only=True)
class Interventions(KeyedConfig):
    """Fields of a modular-addition variant that intervene in its training. All are off by default.

    **Planting** (`planted_neurons`, `planted_k`). Let r(a, b) in R^d_model be what neurons read of a pair at
    epoch 0 (the residual stream at "=" after attention), and X (p, d_model) its mean over the other operand,
    x(a) = mean over b of (r(a, b) + r(b, a)) / 2. The column w of W_in of neuron i becomes

        w' = (I - X⁺ X) w + α X⁺ u,    u(a) = cos(2 π k a / p + φ),    α > 0 such that |w'| = |w|

    with c k = ±(1 + i mod planted_k) mod p, and φ uniform from a generator that `seed` seeds (SHA-256 of
    "planted <seed>"; the same φ under all names). X⁺ u is the shortest column that reads the wave u, and of w
    stays what reads nothing of the operands. X has rank p, so X w' = α u to rounding: on average over the
    other operand the neuron reads a wave and no constant. At epoch 0 attention is nearly uniform, so its
    pre-activation is α (u(a) + u(b)) up to attention's deviation. Everything else is as drawn. Nothing keeps
    the pattern once training has begun.

    **Bar** (`barred_k`). At epoch 0 and after every step

        W_E ← W_E - F Fᵀ W_E

    over the residues, F (p, 2 barred_k) the orthonormal cos and sin of the frequencies k with
    c k = ±1, ..., ±barred_k mod p ("=" is left alone). All that the network knows of an operand is its row of
    W_E, so values and scores have none of these frequencies; a neuron could get them from products of others
    only, by attention's softmax or its ReLU, whose share is small. That keeps neurons from
    becoming blobs without touching any of them, where a bar on neurons' own weights would leave
    low frequencies in attention, and a penalty would change the loss. What it costs: 2 barred_k of the p
    dimensions in which residues can differ, and these frequencies for the solution; a bar under other names
    costs as much. The optimizer's moments are left as they are.

    **Freeze** (`freeze`, `freeze_from`): from checkpoint e on the component's weights are those of checkpoint
    e. **Ablate** (`ablate`, `ablate_from`): from checkpoint e on they are zero, e included, so that the
    component adds nothing: of a head W_Q, W_K, W_V and W_O, of a neuron its column of W_in and row of W_out.
    Their gradients count as zero, for clipping and moments, too.

    Args:
        planted_neurons: how many neurons, the first ones; 0 for none.
        planted_k: highest planted frequency.
        barred_k: highest barred frequency, 0 for no bar.
        names: c, 1 to (p - 1) / 2.
        freeze, ablate: a weight (WE, Wpos, WQ, WK, WV, WO, Win, Wout, WU), a head (head0), a range of neurons
            (neurons0-63, both ends included), or none.
        freeze_from, ablate_from: epoch of a checkpoint.
    """

    planted_neurons: int = 0
    planted_k: int = 3
    barred_k: int = 0
    names: int = 1
    freeze: str = NONE
    freeze_from: int = 0
    ablate: str = NONE
    ablate_from: int = 0

    @property
    def low_up_to(self) -> int:
        """The highest frequency that an intervention speaks of, 0 without one."""
        return self.barred_k or (self.planted_k if self.planted_neurons else 0)

    def parts(self, component: object) -> tuple[Part, ...]:
        """The weights of a component; () for "none". BadConfig for one that the variant does not have."""
        of: Any = self
        name = component if isinstance(component, str) else ""  # a study file may have anything there
        head, neurons = _HEAD.fullmatch(name), _NEURONS.fullmatch(name)
        if name == NONE:
            return ()
        if name in _MATRICES:
            return ((_MATRICES[name], (slice(None),)),)
        if head and int(head[1]) < of.n_heads:
            return tuple((f"blocks.0.attn.{each}", (int(head[1]),)) for each in _ATTENTION)
        if neurons and int(neurons[1]) <= int(neurons[2]) < of.d_mlp:
            some = slice(int(neurons[1]), int(neurons[2]) + 1)
            return (("blocks.0.mlp.W_in", (slice(None), some)), ("blocks.0.mlp.W_out", (some,)))
        raise BadConfig(
            f"{component!r} is no component of a model with {of.n_heads} heads and {of.d_mlp} neurons",
            f"use one of: {COMPONENTS}, {NONE}",
        )

    def require_interventions(self) -> None:
        """Raise BadConfig for an intervention that can't be had, or two that exclude each other."""
        of: Any = self
        h = (of.p - 1) // 2
        require_whole_numbers(
            self,
            {
                "planted_neurons": (0, of.d_mlp),
                "planted_k": (1, max(h, 3)),
                "barred_k": (0, h - 1),  # one frequency is left
                "names": (1, h),
                "freeze_from": (0, MAX_STEPS),
                "ablate_from": (0, MAX_STEPS),
            },
        )
        for name, wants in _WANTS.items():
            if self._is_set(name) and not self._is_set(wants):
                raise BadConfig(
                    f"{name} is {getattr(self, name)}, but {wants} is {getattr(self, wants)}",
                    f"set {wants}, or leave {name} out",
                )
        if self.names != 1 and not self.low_up_to:
            raise BadConfig(
                f"names is {self.names}, but nothing is planted or barred",
                "leave names out: nothing would use it",
            )
        self._require_planting(h)
        self._require_components()

    def _require_planting(self, h: int) -> None:
        if not self.planted_neurons:
            return
        of: Any = self
        if self.planted_k > h:
            raise BadConfig(f"planted_k is {self.planted_k}", f"use a planted_k from 1 to {h}")
        if self.barred_k:
            raise BadConfig(
                "patterns are planted and W_E is barred: what is planted could not be read",
                "choose planted_neurons or barred_k",
            )
        if min(of.d_model, of.n_heads * of.d_head) < of.p:
            raise BadConfig(
                f"planted_neurons is {self.planted_neurons}, but through d_model {of.d_model} and heads of "
                f"{of.n_heads * of.d_head} in all a neuron can't be given every pattern over {of.p} residues",
                f"use a d_model and n_heads x d_head of at least p = {of.p}, or leave planted_neurons out",
            )

    def _require_components(self) -> None:
        of: Any = self
        freeze, ablate = self.parts(self.freeze), self.parts(self.ablate)
        if self.ablate in _CARRIES_THE_INPUTS or (self.ablate == "head0" and of.n_heads == 1):
            raise BadConfig(
                f"ablate is {self.ablate}, without which no operand reaches the answer",
                "ablate another component, or freeze this one",
            )
        if overlap(freeze, ablate):
            raise BadConfig(
                f"freeze is {self.freeze} and ablate {self.ablate}, which share weights", "choose one of them"
            )
        planted = (("blocks.0.mlp.W_in", (slice(None), slice(0, self.planted_neurons))),)
        if self.planted_neurons and not self.ablate_from and overlap(planted, ablate):
            raise BadConfig(
                f"ablate is {self.ablate} from epoch 0, which removes planted neurons before they act",
                "give ablate_from a later epoch, or choose one of both",
            )

    def _is_set(self, name: str) -> bool:
        return getattr(self, name) != getattr(Interventions, name)

    def interventions(self) -> dict[str, Any]:
        """The fields that differ from their defaults, by name."""
        return {field.name: getattr(self, field.name) for field in KEY if self._is_set(field.name)}


def overlap(some: tuple[Part, ...], others: tuple[Part, ...]) -> bool:
    """Whether two components share weights."""
    return any(
        name == other and all(map(_meet, index, where)) for name, index in some for other, where in others
    )


def _meet(one: Any, other: Any) -> bool:
    """Whether two indices of one axis, slices or whole numbers, have a common place."""
    (a, b), (c, d) = (
        (i, i + 1) if isinstance(i, int) else (i.start or 0, MAX_STEPS if i.stop is None else i.stop)
        for i in (one, other)
    )
    return max(a, c) < min(b, d)
