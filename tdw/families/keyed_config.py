"""What the configurations whose keys are written by `keys` share: key, fingerprint, optimizer, replicate."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, TypeVar

from tdw.errors import BadConfig
from tdw.families.keys import KeyField, make_key, parse_key
from tdw.optimizers import OptimizerConfig
from tdw.parameters import require_whole_numbers
from tdw.recipes.family import MAX_REPLICATE
from tdw.store.fingerprints import fingerprint_json

Self_ = TypeVar("Self_", bound="KeyedConfig")
SHARED_KEY = (
    KeyField("optimizer", "opt-", "AdamW, Adam, SGD or Muon"),
    KeyField("lr", "lr", "learning rate"),
    KeyField("weight_decay", "wd", "weight decay"),
    KeyField("beta1", "beta1-", "decay of the first moment"),
    KeyField("beta2", "beta2-", "decay of the second moment"),
    KeyField("eps", "eps", "added to the root of the second moment"),
    KeyField("momentum", "mom", "of SGD and Muon; 0 stands for none with SGD, 0.95 with Muon"),
    KeyField("clip", "clip", "largest norm of the gradients, 0 for no clipping"),
    KeyField("warmup", "warmup", "steps over which the learning rate rises linearly"),
    KeyField("cosine", "cos", "step at which a cosine has brought the learning rate to 0; 0 for a constant"),
    KeyField(
        "replicate",
        "r",
        f"0 is the plain run; 1 to {MAX_REPLICATE} multiply every initial weight by 1 + 1e-7 N(0, 1)",
    ),
)
"""Fields of every configuration of this kind; they come last in its key."""
MAX_STEPS = 10**9
_MUON_MOMENTUM = 0.95


@dataclass(frozen=True, kw_only=True)
class KeyedConfig:
    """Base of a frozen dataclass with `values`' `to_dict`, and the fields optimizer, lr, weight_decay, beta1
    and beta2, whose defaults are the family's.

    Args:
        eps, momentum, clip: see OptimizerConfig; a momentum of 0 stands for Muon's 0.95, a clip of 0 does not
            clip.
        warmup: steps over which the learning rate rises linearly to lr.
        cosine: step at which a cosine, from the warm-up's end on, has brought the learning rate to 0, where
            it stays; 0 stands for a constant one.
        replicate: 0 for the plain run; others differ from it by rounding alone (`tdw.families.replicates`).

    Attributes:
        named: how the key names the fields.
        later: fields that came after variants had been trained. Where they have their default, the record
            of the configuration leaves them out: older fingerprints stay valid.
    """

    eps: float = 1e-8
    momentum: float = 0.0
    clip: float = 0.0
    warmup: int = 0
    cosine: int = 0
    replicate: int = 0

    named: ClassVar[Sequence[KeyField]]
    later: ClassVar[tuple[str, ...]] = ("eps", "momentum", "clip", "warmup", "cosine", "replicate")

    @property
    def key(self) -> str:
        """The variant's key, such as k2_s0: it names what differs from the defaults."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return make_key(self, self.named)

    @property
    def base_key(self) -> str:
        """The key of replicate 0, which a variant's replicates share."""
        return self.key.removesuffix(f"_r{self.replicate}") if self.replicate else self.key

    @classmethod
    def parse(cls: type[Self_], key: str) -> Self_:
        """The configuration that `key` names. Raises BadConfig unless it is a canonical key."""
        return _parsed(cls, key)

    @property
    def optimizer_config(self) -> OptimizerConfig:
        """The optimizer's settings.

        Raises:
            BadConfig: a value that can't be used, or a momentum of an optimizer that has none.
        """
        self._require_schedule()
        of: Any = self
        momentum = self.momentum
        if of.optimizer in ("AdamW", "Adam") and momentum:
            raise BadConfig(
                f"momentum is {momentum}, but {of.optimizer} has none", "leave momentum out, or set beta1"
            )
        return OptimizerConfig(
            name=of.optimizer,
            lr=of.lr,
            weight_decay=of.weight_decay,
            betas=(of.beta1, of.beta2),
            eps=self.eps,
            momentum=momentum or (_MUON_MOMENTUM if of.optimizer == "Muon" else 0.0),
            clip=self.clip or None,
            warmup=self.warmup,
            schedule="cosine" if self.cosine else "constant",
            total=self.cosine or None,
        )

    def require_replicate(self) -> None:
        """Raise BadConfig unless the replicate's number can be used."""
        require_whole_numbers(self, {"replicate": (0, MAX_REPLICATE)})

    def _require_schedule(self) -> None:
        require_whole_numbers(self, {"warmup": (0, MAX_STEPS), "cosine": (0, MAX_STEPS)})
        if self.cosine and self.cosine <= self.warmup:
            raise BadConfig(
                f"cosine is {self.cosine}, warmup {self.warmup}: the learning rate would never reach lr",
                "give cosine the step at which the learning rate is 0, above warmup",
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of `to_dict`."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint_json(self.to_dict())

    def values(self) -> dict[str, Any]:
        """The fields by name, without those of `later` that have their default."""
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if name not in self.later or value != defaults[name]
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        raise NotImplementedError


@lru_cache(maxsize=4096)
def _parsed(cls: type[Self_], key: str) -> Self_:
    """Kept, since pages and plans read the same keys again and again; a configuration never changes."""
    return parse_key(cls, cls.named, key)
