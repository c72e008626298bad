"""What the configurations whose keys are written by `keys` share: key, fingerprint, optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from tdw.families.keys import KeyField, make_key, parse_key
from tdw.optimizers import OptimizerConfig
from tdw.store.fingerprints import fingerprint_json

Self_ = TypeVar("Self_", bound="KeyedConfig")
OPTIMIZER_KEY = (
    KeyField("optimizer", "opt-", "AdamW, Adam, SGD or Muon"),
    KeyField("lr", "lr", "learning rate"),
    KeyField("weight_decay", "wd", "weight decay"),
    KeyField("beta1", "beta1-", "decay of the first moment"),
    KeyField("beta2", "beta2-", "decay of the second moment"),
)
_MUON_MOMENTUM = 0.95


class KeyedConfig:
    """Base of a frozen dataclass with `to_dict` and the fields of `OPTIMIZER_KEY`, and perhaps `clip`.

    Attributes:
        named: how the key names the fields.
    """

    named: ClassVar[Sequence[KeyField]]

    @property
    def key(self) -> str:
        """The variant's key, such as k2_s0: it names what differs from the defaults."""
        return make_key(self, self.named)

    @classmethod
    def parse(cls: type[Self_], key: str) -> Self_:
        """The configuration that `key` names. Raises BadConfig unless it is a canonical key."""
        return parse_key(cls, cls.named, key)

    @property
    def optimizer_config(self) -> OptimizerConfig:
        """The optimizer's settings."""
        of: Any = self
        return OptimizerConfig(
            name=of.optimizer,
            lr=of.lr,
            weight_decay=of.weight_decay,
            betas=(of.beta1, of.beta2),
            momentum=_MUON_MOMENTUM if of.optimizer == "Muon" else 0.0,
            clip=getattr(of, "clip", 0.0) or None,
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of `to_dict`."""
        return fingerprint_json(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        raise NotImplementedError
