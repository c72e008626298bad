"""What a small decoder-only transformer is: its shape, its initialization and where its loss is read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tdw.errors import BadConfig

Activation = Literal["relu", "gelu", "gelu_new", "silu", "square"]
Normalization = Literal["LN", "LNPre"]
Positions = Literal["learned", "none"]
InitScheme = Literal["normal", "gpt2", "torch"]
LossPositions = Literal["all", "last", "mask"]

MAX_PARAMETERS = 100_000_000
_BYTES_PER_PARAMETER = 16  # float32: weight, gradient, two moments
_LIMITS = {
    "n_layers": (0, 64),
    "n_heads": (1, 256),
    "d_model": (1, 16_384),
    "d_vocab": (1, 1_000_000),
    "n_ctx": (1, 16_384),
    "d_head": (0, 16_384),
    "d_mlp": (0, 65_536),
    "d_vocab_out": (0, 1_000_000),
}


@dataclass(frozen=True)
class TransformerConfig:
    """A pre-norm decoder with causal attention: scores divided by sqrt(d_head), residual stream of d_model.

    Args:
        n_layers: blocks; 0 is the bigram model of embedding and unembedding.
        n_heads, d_model: heads per block, width of the residual stream.
        d_vocab, n_ctx: number of tokens, longest sequence.
        d_head: width of a head; 0 stands for d_model / n_heads.
        d_mlp: neurons per block; 0 is attention only.
        d_vocab_out: number of outputs; 0 stands for d_vocab.
        activation: of the neurons, by TransformerLens's names; `square` is x². Attention only ignores it.
        normalization: "LN" (layer norm with weight and bias), "LNPre" (without) or None.
        positions: "learned" embeddings, added once, or "none".
        tied: the unembedding is the transposed embedding, one tensor.
        biases: of attention, MLP and unembedding, trained, zero at epoch 0; without, there are none.
        init_scheme: "normal", "gpt2" or "torch"; see `initialize`.
        init_std: standard deviation of "normal" and "gpt2"; None is 0.8 / sqrt(d_model).
        loss: positions whose prediction counts: "all", the "last", or a "mask" in every batch.

    Raises:
        BadConfig: a value that can't be used, or a model of more than 100 million parameters.
    """

    n_layers: int
    n_heads: int
    d_model: int
    d_vocab: int
    n_ctx: int
    d_head: int = 0
    d_mlp: int = 0
    d_vocab_out: int = 0
    activation: Activation = "relu"
    normalization: Normalization | None = None
    positions: Positions = "learned"
    tied: bool = False
    biases: bool = False
    init_scheme: InitScheme = "normal"
    init_std: float | None = None
    loss: LossPositions = "all"

    def __post_init__(self) -> None:
        for name, limits in _LIMITS.items():
            _require_whole(name, getattr(self, name), limits)
        for name in ("tied", "biases"):
            if not isinstance(getattr(self, name), bool):
                raise BadConfig(f"{name} is {getattr(self, name)!r}", f"write {name}: true or {name}: false")
        _require_choice("activation", self.activation, Activation)
        _require_choice("positions", self.positions, Positions)
        _require_choice("init_scheme", self.init_scheme, InitScheme)
        _require_choice("loss", self.loss, LossPositions)
        if self.normalization is not None:
            _require_choice("normalization", self.normalization, Normalization, also="null")
        self._resolve_widths()
        self._require_init_std()
        if self.parameters > MAX_PARAMETERS:
            memory = self.parameters * _BYTES_PER_PARAMETER / 2**30
            raise BadConfig(
                f"the transformer has {self.parameters:,} parameters, which take {memory:,.0f} GiB to train",
                f"choose widths that leave at most {MAX_PARAMETERS:,}: the kit is for small models",
            )

    @classmethod
    def from_mapping(cls, fields: Mapping[str, Any]) -> TransformerConfig:
        """The configuration that a YAML mapping describes.

        Raises:
            BadConfig: unknown or missing fields, all of them named, or a value that can't be used.
        """
        known = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(map(str, set(fields) - set(known)))
        if unknown:
            raise BadConfig(f"a transformer has no field {', '.join(unknown)}", f"use {', '.join(known)}")
        missing = [
            name
            for name, field in known.items()
            if field.default is dataclasses.MISSING and name not in fields
        ]
        if missing:
            raise BadConfig(
                f"the transformer's {', '.join(missing)} is missing", "give a whole number for each"
            )
        return cls(**fields)

    @property
    def std(self) -> float:
        """Standard deviation of a weight at epoch 0 under "normal": 0.8 / sqrt(d_model) unless given."""
        return 0.8 / math.sqrt(self.d_model) if self.init_std is None else self.init_std

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(math.prod(shape) for shape in self.weight_shapes.values())

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the trained weights, all there are, in the optimizer's order."""
        return tuple(self.weight_shapes)

    @property
    def hidden_matrices(self) -> tuple[str, ...]:
        """Names of the weight matrices inside the blocks: what Muon is for."""
        return tuple(
            name for name in self.weight_shapes if name.startswith("blocks.") and is_matrix_name(name)
        )

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by HookedTransformer name, in the order in which the seed draws them (T3)."""
        d, h, e, m = self.d_model, self.n_heads, self.d_head, self.d_mlp
        shapes: dict[str, tuple[int, ...]] = {"embed.W_E": (self.d_vocab, d)}
        if self.positions == "learned":
            shapes["pos_embed.W_pos"] = (self.n_ctx, d)
        norm = {"w": (d,), "b": (d,)} if self.normalization == "LN" else {}
        for layer in range(self.n_layers):
            block = f"blocks.{layer}"
            shapes |= {f"{block}.ln1.{name}": shape for name, shape in norm.items()}
            shapes |= {f"{block}.attn.W_Q": (h, d, e), f"{block}.attn.W_O": (h, e, d)}
            shapes |= {f"{block}.attn.W_K": (h, d, e), f"{block}.attn.W_V": (h, d, e)}
            if self.biases:
                shapes |= {f"{block}.attn.b_{name}": (h, e) for name in "QKV"}
                shapes[f"{block}.attn.b_O"] = (d,)
            if m:
                shapes |= {f"{block}.ln2.{name}": shape for name, shape in norm.items()}
                shapes |= {f"{block}.mlp.W_in": (d, m), f"{block}.mlp.W_out": (m, d)}
                if self.biases:
                    shapes |= {f"{block}.mlp.b_in": (m,), f"{block}.mlp.b_out": (d,)}
        shapes |= {f"ln_final.{name}": shape for name, shape in norm.items()}
        if not self.tied:
            shapes["unembed.W_U"] = (d, self.d_vocab_out)
        if self.biases:
            shapes["unembed.b_U"] = (self.d_vocab_out,)
        return shapes

    @property
    def components(self) -> tuple[str, ...]:
        """What the final residual stream, and with it each logit, is a sum of."""
        names = ["embed", *(["pos_embed"] if self.positions == "learned" else [])]
        for layer in range(self.n_layers):
            names += [f"L{layer}H{head}" for head in range(self.n_heads)]
            names += [f"L{layer} bias"] if self.biases else []
            names += [f"L{layer} mlp"] if self.d_mlp else []
        return (*names, *(["bias"] if self.biases or self.normalization == "LN" else []))

    def to_dict(self) -> dict[str, Any]:
        """Every field, JSON-able; widths that were left to the default are resolved."""
        return dataclasses.asdict(self)

    def _resolve_widths(self) -> None:
        if not self.d_head:
            if self.d_model % self.n_heads:
                raise BadConfig(
                    f"d_model {self.d_model} is not divisible by n_heads {self.n_heads}",
                    "give d_head as well",
                )
            object.__setattr__(self, "d_head", self.d_model // self.n_heads)
        if not self.d_vocab_out:
            object.__setattr__(self, "d_vocab_out", self.d_vocab)
        if self.tied and self.d_vocab_out != self.d_vocab:
            raise BadConfig(
                f"a tied unembedding has d_vocab {self.d_vocab} outputs, d_vocab_out is {self.d_vocab_out}",
                "leave d_vocab_out out, or set tied to false",
            )

    def _require_init_std(self) -> None:
        std: Any = self.init_std
        if std is None:
            return
        if self.init_scheme == "torch":
            raise BadConfig(
                "init_std is given, but init_scheme 'torch' has its own", "use init_scheme normal or gpt2"
            )
        number = isinstance(std, (int, float)) and not isinstance(std, bool)
        if not (number and 0 < std <= 100):
            raise BadConfig(f"init_std is {std!r}", "use a number above 0, at most 100, such as 0.1")


def is_matrix_name(name: str) -> bool:
    """Whether a HookedTransformer name is a weight matrix's (`W_Q`), not a bias's or a layer norm's."""
    return name.rsplit(".", 1)[-1].startswith("W_")


def _require_whole(name: str, value: object, limits: tuple[int, int]) -> None:
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadConfig(f"{name} is {value!r}, not a whole number", f"give {name} as an integer")
    if not low <= value <= high:
        raise BadConfig(f"{name} is {value}", f"use a {name} from {low} to {high}")


def _require_choice(name: str, value: object, choices: Any, *, also: str = "") -> None:
    allowed = get_args(choices)
    if value not in allowed:
        named = ", ".join([*allowed, also] if also else allowed)
        raise BadConfig(f"{name} is {value!r}", f"use one of: {named}")
