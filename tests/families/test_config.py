"""A variant's key names one model; a wrong one is refused with the remedy."""

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model.data import labels, probe_tokens, split

PRIMES = st.sampled_from([3, 5, 7, 11, 59, 97, 101, 109, 113, 997])
SEEDS = st.integers(0, 2**63 - 1)
FRACTIONS = st.integers(1200, 9000).map(lambda tenthousandths: round(tenthousandths / 10_000, 4))


@given(PRIMES, SEEDS, SEEDS, FRACTIONS)
def test_a_key_gives_back_the_configuration_it_came_from(
    p: int, seed: int, data_seed: int, fraction: float
) -> None:
    for order, replicate in itertools.product(("qokv", "qkvo"), (0, 1, 9999)):
        config = Config(p, seed, data_seed, fraction, order, replicate=replicate)
        assert Config.parse(config.key) == config
        assert Config.parse(config.base_key) == dataclasses.replace(config, replicate=0)


def test_the_train_fraction_is_named_only_where_it_is_not_the_default() -> None:
    assert Config(113, 999).key == "p113_s999_d598"
    assert Config(59, 999, train_fraction=0.4).key == "p59_s999_d598_f0.4"


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("p113_s0999_d598", "write p113_s999_d598"),
        ("p113_s999_d598_f0.3", "write p113_s999_d598"),
        ("p113_s999_d598_f0.40", "write p113_s999_d598_f0.4"),
        ("p113_s999_d598_iqokv", "write p113_s999_d598"),
        ("p113_s999_d598_r0", "write p113_s999_d598"),
        ("p113_s999_d598_r1_iqkvo", "write p113_s999_d598_iqkvo_r1"),
        ("p113_s999_d598_ivoqk", "use qokv or qkvo"),
        ("p113_s999_d598_r10000", "from 0 to 9999"),
        ("p113_s999", "keys look like"),
        ("p113_s999_d598/../x", "keys look like"),
        ("p١١٣_s999_d598", "keys look like"),
        ("p113_s999_d598\n", "keys look like"),
        ("p112_s999_d598", "use 109 or 113"),
        ("p2_s999_d598", "use 3"),
        ("p1009_s999_d598", "below 1000"),
        ("p113_s9999999999999999999_d598", "from 0 to"),
        ("p5_s1_d1_f0.01", "at least one pair"),
    ],
)
def test_a_wrong_key_is_refused_with_the_remedy(key: str, remedy: str) -> None:
    with pytest.raises(BadConfig, match=remedy):
        get_family("modulo_addition_1layer").parse_variant(key)


@pytest.mark.parametrize(
    "fields",
    [
        {"p": "113", "seed": 1},
        {"p": True, "seed": 1},
        {"p": 113, "seed": 1.0},
        {"p": 113, "seed": -1},
        {"p": 113, "seed": 1, "train_fraction": 0.33333},
        {"p": 113, "seed": 1, "train_fraction": float("nan")},
        {"p": 113, "seed": 1, "train_fraction": 1.0},
        {"p": -7, "seed": 1},
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(BadConfig):
        Config(**fields)  # pyright: ignore[reportArgumentType]


def test_every_parameter_changes_the_fingerprint() -> None:
    configs = [
        Config(113, 999),
        Config(109, 999),
        Config(113, 485),
        Config(113, 999, 1),
        Config(113, 999, 598, 0.4),
    ]
    assert len({config.fingerprint for config in configs}) == len(configs)
    assert Config(113, 999).fingerprint == Config(113, 999, 598, 0.3).fingerprint


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadConfig, match="modulo_addition_1layer"):
        get_family("modulo_subtraction")


@given(st.sampled_from([3, 5, 13]), SEEDS)
def test_the_split_uses_every_pair_once(p: int, data_seed: int) -> None:
    config = Config(p, 0, data_seed)
    train, test = split(config)
    assert len(train) == int(0.3 * p * p)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(p * p))


def test_the_probe_is_every_pair_a_major_with_the_equals_token_last() -> None:
    config = Config(5, 0)
    tokens = probe_tokens(config)
    assert tokens.tolist() == [[a, b, 5] for a in range(5) for b in range(5)]
    np.testing.assert_array_equal(labels(config, np.arange(25)), tokens[:, :2].sum(axis=1) % 5)


def test_families_load_without_torch() -> None:
    code = (
        "import sys, tdw.families, tdw.training; sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
