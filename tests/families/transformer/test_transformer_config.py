"""F2, F5: the kit's configurations: what can't be used, and what no machine can hold, is refused in words."""

import math

import pytest

from tdw.errors import BadConfig
from tdw.families.transformer import TransformerConfig
from tdw.families.transformer.cost import estimate, require_affordable
from tdw.optimizers import OptimizerConfig


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"n_layers": 2.0}, "not a whole number"),
        ({"n_heads": 3}, "not divisible"),
        ({"d_model": 0}, "d_model is 0"),
        ({"activation": "tanh"}, "use one of: relu"),
        ({"normalization": "RMS"}, "LN, LNPre, null"),
        ({"tied": True, "d_vocab_out": 3}, "tied unembedding"),
        ({"tied": 1}, "tied is 1"),
        ({"init_scheme": "torch", "init_std": 0.1}, "has its own"),
        ({"init_std": -1}, "init_std is -1"),
        ({"loss": "first"}, "all, last, mask"),
        ({"d_model": 16384, "n_layers": 64, "n_heads": 64}, "GiB to train"),
        ({"width": 8}, "no field width"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(fields: dict, reason: str) -> None:
    usable = {"n_layers": 1, "n_heads": 2, "d_model": 8, "d_vocab": 4, "n_ctx": 5}
    with pytest.raises(BadConfig, match=reason):
        TransformerConfig.from_mapping({**usable, **fields})


def test_a_configuration_with_missing_fields_names_them_all() -> None:
    with pytest.raises(BadConfig, match="n_layers, d_model, n_ctx"):
        TransformerConfig.from_mapping({"n_heads": 2, "d_vocab": 4})


def test_a_configuration_survives_its_dictionary() -> None:
    config = TransformerConfig(2, 2, 8, 4, 5, normalization="LN", init_std=0.3)
    assert TransformerConfig.from_mapping(config.to_dict()) == config


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "Lion"}, "AdamW, Adam, SGD, Muon"),
        ({"lr": 0}, "lr is 0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"betas": (0.9, 1.0)}, "below 1"),
        ({"weight_decay": -1}, "at least 0"),
        ({"clip": 0.0}, "above 0"),
        ({"warmup": -1}, "whole number"),
        ({"schedule": "cosine"}, "give total"),
    ],
)
def test_optimizer_settings_that_cannot_be_used_are_refused(fields: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        OptimizerConfig(**fields)


def test_a_training_that_no_machine_can_hold_is_refused_with_memory_and_time() -> None:
    config = TransformerConfig(4, 8, 512, 1000, 4096)
    with pytest.raises(BadConfig, match=r"GiB of memory and [\d,]+ days; there are 8\.0 GiB"):
        require_affordable(config, batch_size=512, steps=100_000, max_bytes=8 * 2**30)
    small = TransformerConfig(2, 1, 32, 2, 100)
    cost = require_affordable(small, batch_size=64, steps=2000, max_bytes=8 * 2**30)
    assert cost == estimate(small, batch_size=64, steps=2000)
    assert cost.parameters == 2 * 32 + 100 * 32 + 2 * 4 * 32 * 32 + 32 * 2
