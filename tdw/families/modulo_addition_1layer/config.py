"""The configuration of one variant, its key and its fingerprint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from tdw.errors import BadConfig
from tdw.families.keyed_config import SHARED_KEY
from tdw.families.keys import KeyField, normalize_numbers
from tdw.families.modulo_addition_1layer.cost import require_affordable
from tdw.families.modulo_addition_1layer.interventions import KEY as INTERVENTIONS
from tdw.families.modulo_addition_1layer.interventions import Interventions
from tdw.families.operations import FORMULAS, OPERATIONS, Operation, require_operation
from tdw.families.transformer.config import Activation
from tdw.optimizers import Name
from tdw.parameters import is_number, require_whole_numbers

_MAX_SEED = 2**63 - 1
_ATTENTION = {"qokv": ("W_Q", "W_O", "W_K", "W_V"), "qkvo": ("W_Q", "W_K", "W_V", "W_O")}
_SEEDS = {"seed": (0, _MAX_SEED), "data_seed": (0, _MAX_SEED)}
_WIDTHS = {"d_model": (1, 16_384), "n_heads": (1, 256), "d_head": (1, 16_384), "d_mlp": (1, 65_536)}

KEY = (
    KeyField("p", "p", "the modulus, an odd prime", always=True),
    KeyField("seed", "s", "seed of the initialization", always=True),
    KeyField("data_seed", "d", "seed of the split into training and test pairs", always=True),
    KeyField("train_fraction", "f", "fraction of the pairs that train"),
    KeyField(
        "init_order",
        "i",
        "order in which the seed draws attention's weights: qokv as TransformerLens 1-3, qkvo as the demo "
        "published with it",
    ),
    KeyField(
        "operation",
        "op-",
        f"what is learned, modulo p: {FORMULAS}",
    ),
    KeyField("d_model", "width", "width of the residual stream"),
    KeyField("n_heads", "heads", "attention heads"),
    KeyField("d_head", "dhead", "width of a head"),
    KeyField("d_mlp", "mlp", "neurons"),
    KeyField("activation", "act-", f"of the neurons: {', '.join(get_args(Activation))}"),
    KeyField(
        "init_scale", "scale", "times 1 / sqrt(d_model), the standard deviation of every weight at epoch 0"
    ),
    *INTERVENTIONS,
    *SHARED_KEY,
)


@dataclass(frozen=True)
class Config(Interventions):
    """One variant.

    Args:
        p: the modulus, an odd prime below 1000 (the probe has p² pairs and p² d_mlp activations).
        seed: of the initialization, 0 to 2⁶³ - 1.
        data_seed: of the split.
        train_fraction: the first int(train_fraction p²) permuted pairs train; at most four decimals.
        init_order: order in which the seed draws attention's four matrices, "qokv" or "qkvo".
        operation: what is learned, a name of `families.operations`.
        d_model, n_heads, d_head, d_mlp: widths; n_heads d_head need not be d_model.
        activation: of the neurons, by TransformerLens's names; the numba form is for "relu" alone.
        init_scale: every weight is drawn from N(0, init_scale² / d_model).
        optimizer, lr, weight_decay, beta1, beta2: see OptimizerConfig; the rest see Interventions and
            KeyedConfig. The batch is full.

    Raises:
        BadConfig: a parameter that can't be used; names it and the nearest that can.
    """

    p: int
    seed: int
    data_seed: int = 598
    train_fraction: float = 0.3
    init_order: str = "qokv"
    operation: str = "add"
    d_model: int = 128
    n_heads: int = 4
    d_head: int = 32
    d_mlp: int = 512
    activation: Activation = "relu"
    init_scale: float = 0.8
    optimizer: Name = "AdamW"
    lr: float = 1e-3
    weight_decay: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.98

    family: ClassVar[str] = "modulo_addition_1layer"
    named: ClassVar[Sequence[KeyField]] = KEY
    n_ctx: ClassVar[int] = 3
    max_p: ClassVar[int] = 1000
    # In the optimizer's order.
    trained: ClassVar[tuple[str, ...]] = (
        "embed.W_E",
        "pos_embed.W_pos",
        "blocks.0.attn.W_Q",
        "blocks.0.attn.W_O",
        "blocks.0.attn.W_K",
        "blocks.0.attn.W_V",
        "blocks.0.mlp.W_in",
        "blocks.0.mlp.W_out",
        "unembed.W_U",
    )

    def __post_init__(self) -> None:
        require_whole_numbers(self, {"p": (-_MAX_SEED, _MAX_SEED), **_SEEDS, **_WIDTHS})
        _require_modulus(self.p)
        self.require_replicate()
        normalize_numbers(self)
        if self.init_order not in _ATTENTION:
            raise BadConfig(f"init_order is {self.init_order!r}", f"use {' or '.join(_ATTENTION)}")
        require_operation(self.operation)
        if self.activation not in get_args(Activation):
            named = ", ".join(get_args(Activation))
            raise BadConfig(f"activation is {self.activation!r}", f"use one of: {named}")
        if not (is_number(self.init_scale) and 0 < self.init_scale <= 100):
            raise BadConfig(f"init_scale is {self.init_scale!r}", "use a number above 0, at most 100")
        self._require_fraction()
        _ = self.optimizer_config
        self.require_interventions()
        if any(getattr(self, name) != getattr(Config, name) for name in _WIDTHS):
            require_affordable(self)

    def _require_fraction(self) -> None:
        fraction: Any = self.train_fraction
        if not (is_number(fraction) and 0 < fraction < 1):
            raise BadConfig(f"train_fraction is {fraction!r}", "use a fraction between 0 and 1, such as 0.3")
        if round(fraction, 4) != fraction:
            raise BadConfig(
                f"train_fraction is {fraction!r}, which has more than four decimals",
                f"use {round(fraction, 4)}, so that the variant's key can name it",
            )
        if not 0 < self.n_train < self.p**2:
            raise BadConfig(
                f"train_fraction {fraction} of {self.p**2} pairs leaves {self.n_train} to train",
                "choose a fraction that leaves at least one pair on either side",
            )

    @property
    def task(self) -> Operation:
        """The operation."""
        return OPERATIONS[self.operation]

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the trained weights in the order in which the seed draws them."""
        attention = tuple(f"blocks.0.attn.{name}" for name in _ATTENTION[self.init_order])
        return (*self.trained[:2], *attention, *self.trained[6:])

    @property
    def d_vocab(self) -> int:
        """Number of tokens: the residues and "="."""
        return self.p + 1

    @property
    def init_std(self) -> float:
        """Standard deviation of every weight at epoch 0."""
        return self.init_scale / math.sqrt(self.d_model)

    @property
    def n_train(self) -> int:
        """Number of pairs that train."""
        return int(self.p * self.p * self.train_fraction)

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by TransformerLens name; the biases are zero and frozen."""
        h, d, e, m, p = self.n_heads, self.d_model, self.d_head, self.d_mlp, self.p
        return {
            "embed.W_E": (self.d_vocab, d),
            "pos_embed.W_pos": (self.n_ctx, d),
            "blocks.0.attn.W_Q": (h, d, e),
            "blocks.0.attn.W_O": (h, e, d),
            "blocks.0.attn.W_K": (h, d, e),
            "blocks.0.attn.W_V": (h, d, e),
            "blocks.0.mlp.W_in": (d, m),
            "blocks.0.mlp.W_out": (m, d),
            "unembed.W_U": (d, p),
            "blocks.0.attn.b_Q": (h, e),
            "blocks.0.attn.b_K": (h, e),
            "blocks.0.attn.b_V": (h, e),
            "blocks.0.attn.b_O": (d,),
            "blocks.0.mlp.b_in": (m,),
            "blocks.0.mlp.b_out": (d,),
            "unembed.b_U": (p,),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        return {
            "family": self.family,
            "p": self.p,
            "seed": self.seed,
            "data_seed": self.data_seed,
            "train_fraction": self.train_fraction,
            # Fields that came later stand here only where they differ: older fingerprints stay valid.
            **{
                name: getattr(self, name)
                for name in ("init_order", "operation", "momentum", "clip", "warmup", "cosine", "replicate")
                if getattr(self, name) != getattr(Config, name)
            },
            **self.interventions(),
            "architecture": {
                "n_layers": 1,
                "n_heads": self.n_heads,
                "d_model": self.d_model,
                "d_head": self.d_head,
                "d_mlp": self.d_mlp,
                "n_ctx": self.n_ctx,
                "d_vocab": self.d_vocab,
                "d_vocab_out": self.p,
                "act_fn": self.activation,
                "normalization": None,
                "biases": "zero, frozen",
                "init_std": self.init_std,
            },
            "optimizer": {
                "name": self.optimizer,
                "lr": self.lr,
                "weight_decay": self.weight_decay,
                "betas": [self.beta1, self.beta2],
                "eps": self.eps,
                "batch": "full",
            },
            "loss": "cross-entropy at the last position, float64 log-softmax of float32 logits",
        }


def _require_modulus(p: int) -> None:
    """Raise BadConfig unless p is an odd prime below `max_p`; the remedy names the nearest ones."""
    if 3 <= p < Config.max_p and _is_prime(p):
        return
    if p >= Config.max_p:
        raise BadConfig(
            f"p is {p}; the probe would have {p}² pairs",
            f"use an odd prime below {Config.max_p}, such as 113",
        )
    near = max(p, 3)
    below = next((q for q in range(near, 2, -1) if q % 2 and _is_prime(q)), None)
    above = next(q for q in range(near, 2 * near + 1) if q % 2 and _is_prime(q))
    candidates = sorted({q for q in (below, above) if q is not None and q < Config.max_p})
    raise BadConfig(f"p is {p}, which is not an odd prime", f"use {' or '.join(map(str, candidates))}")


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % k for k in range(2, math.isqrt(n) + 1))
