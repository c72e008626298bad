"""The configuration of one variant, its key and its fingerprint."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from tdw.errors import BadConfig
from tdw.optimizers import OptimizerConfig
from tdw.recipes.family import MAX_REPLICATE, Field
from tdw.store.fingerprints import fingerprint_json

_KEY = re.compile(
    r"p(\d{1,9})_s(\d{1,19})_d(\d{1,19})(?:_f(\d{1,2}(?:\.\d{1,12})?))?(?:_i([a-z]{1,8}))?(?:_r(\d{1,9}))?"
)
_EXAMPLES = (
    "keys look like p113_s999_d598; _f0.4 names another train fraction than 0.3, _iqkvo another order of "
    "initialization, _r1 a replicate, in this order"
)
_MAX_SEED = 2**63 - 1
_ATTENTION = {"qokv": ("W_Q", "W_O", "W_K", "W_V"), "qkvo": ("W_Q", "W_K", "W_V", "W_O")}


FIELDS = (
    Field("p", int, None, "the modulus, an odd prime"),
    Field("seed", int, None, "seed of the initialization"),
    Field("data_seed", int, 598, "seed of the split into training and test pairs"),
    Field("train_fraction", float, 0.3, "fraction of the pairs that train"),
    Field(
        "init_order",
        str,
        "qokv",
        "order in which the seed draws attention's weights: qokv as TransformerLens 1-3, qkvo as the demo "
        "published with it",
    ),
    Field(
        "replicate",
        int,
        0,
        f"0 is the plain run; 1 to {MAX_REPLICATE} multiply every initial weight by 1 + 1e-7 N(0, 1)",
    ),
)


@dataclass(frozen=True)
class Config:
    """One variant: its domain parameters, and the constants that all variants of the family share.

    Args:
        p: the modulus, an odd prime below 1000 (the probe has p² pairs and p² d_mlp activations).
        seed: of the initialization, 0 to 2⁶³ - 1.
        data_seed: of the split.
        train_fraction: the first int(train_fraction p²) permuted pairs train; at most four decimals.
        init_order: order in which the seed draws attention's four matrices, "qokv" or "qkvo".
        replicate: 0 for the plain run; others differ from it by rounding alone (`tdw.families.replicates`).

    Raises:
        BadConfig: a parameter that can't be used; names it and the nearest that can.
    """

    p: int
    seed: int
    data_seed: int = 598
    train_fraction: float = 0.3
    init_order: str = "qokv"
    replicate: int = 0

    family: ClassVar[str] = "modulo_addition_1layer"
    d_model: ClassVar[int] = 128
    n_heads: ClassVar[int] = 4
    d_head: ClassVar[int] = 32
    d_mlp: ClassVar[int] = 512
    n_ctx: ClassVar[int] = 3
    lr: ClassVar[float] = 1e-3
    weight_decay: ClassVar[float] = 1.0
    betas: ClassVar[tuple[float, float]] = (0.9, 0.98)
    eps: ClassVar[float] = 1e-8
    default_data_seed: ClassVar[int] = 598
    default_train_fraction: ClassVar[float] = 0.3
    default_init_order: ClassVar[str] = "qokv"
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
        for name in ("p", "seed", "data_seed", "replicate"):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadConfig(f"{name} is {value!r}, not a whole number", f"give {name} as an integer")
        _require_modulus(self.p)
        for name in ("seed", "data_seed"):
            number: int = getattr(self, name)
            if not 0 <= number <= _MAX_SEED:
                raise BadConfig(f"{name} is {number}", f"use a {name} from 0 to {_MAX_SEED}")
        if not 0 <= self.replicate <= MAX_REPLICATE:
            raise BadConfig(f"replicate is {self.replicate}", f"use a replicate from 0 to {MAX_REPLICATE}")
        if self.init_order not in _ATTENTION:
            raise BadConfig(f"init_order is {self.init_order!r}", f"use {' or '.join(_ATTENTION)}")
        fraction: Any = self.train_fraction
        if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
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
    def key(self) -> str:
        """The variant's key: p and seeds, and whatever else is not the default."""
        return self.base_key + (f"_r{self.replicate}" if self.replicate else "")

    @property
    def base_key(self) -> str:
        """The key of replicate 0, which a variant's replicates share."""
        key = f"p{self.p}_s{self.seed}_d{self.data_seed}"
        if self.train_fraction != self.default_train_fraction:
            key += "_f" + f"{self.train_fraction:.4f}".rstrip("0")
        if self.init_order != self.default_init_order:
            key += f"_i{self.init_order}"
        return key

    @classmethod
    def parse(cls, key: str) -> Config:
        """The configuration that `key` names.

        Raises:
            BadConfig: not a key, or not the canonical one: two keys never name one model.
        """
        match = _KEY.fullmatch(key) if key.isascii() else None
        if match is None:
            raise BadConfig(f"{key[:80]!r} is not the key of a variant", _EXAMPLES)
        p, seed, data_seed, fraction, order, replicate = match.groups()
        config = cls(
            p=int(p),
            seed=int(seed),
            data_seed=int(data_seed),
            train_fraction=cls.default_train_fraction if fraction is None else float(fraction),
            init_order=order or cls.default_init_order,
            replicate=int(replicate or 0),
        )
        if config.key != key:
            raise BadConfig(f"{key!r} is not how this variant is written", f"write {config.key}")
        return config

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
        return 0.8 / math.sqrt(self.d_model)

    @property
    def n_train(self) -> int:
        """Number of pairs that train."""
        return int(self.p * self.p * self.train_fraction)

    @property
    def optimizer_config(self) -> OptimizerConfig:
        """The optimizer's settings."""
        return OptimizerConfig(lr=self.lr, weight_decay=self.weight_decay, betas=self.betas, eps=self.eps)

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
            "train_fraction": float(self.train_fraction),
            # Fields that came later stand here only where they differ: older fingerprints stay valid.
            **({"init_order": self.init_order} if self.init_order != self.default_init_order else {}),
            **({"replicate": self.replicate} if self.replicate else {}),
            "architecture": {
                "n_layers": 1,
                "n_heads": self.n_heads,
                "d_model": self.d_model,
                "d_head": self.d_head,
                "d_mlp": self.d_mlp,
                "n_ctx": self.n_ctx,
                "d_vocab": self.d_vocab,
                "d_vocab_out": self.p,
                "act_fn": "relu",
                "normalization": None,
                "biases": "zero, frozen",
                "init_std": self.init_std,
            },
            "optimizer": {
                "name": "AdamW",
                "lr": self.lr,
                "weight_decay": self.weight_decay,
                "betas": list(self.betas),
                "eps": self.eps,
                "batch": "full",
            },
            "loss": "cross-entropy at the last position, float64 log-softmax of float32 logits",
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of `to_dict`."""
        return fingerprint_json(self.to_dict())


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
