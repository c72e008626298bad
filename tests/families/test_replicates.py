"""T11: replicates differ by rounding alone, and the plain run is what it was."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.recipes.family import base_key, replicate_of
from tdw.study.parse import parse_study

FAMILY = get_family("modulo_addition_1layer")
PLAIN = FAMILY.make_config(p=11, seed=4)


def test_a_replicate_moves_each_weight_by_about_its_rounding():
    plain = FAMILY.init_weights(PLAIN)
    moved = FAMILY.init_weights(dataclasses.replace(PLAIN, replicate=3))
    for name in PLAIN.trained:
        relative = ((moved[name].double() - plain[name].double()) / plain[name].double()).flatten()
        # Rounding to float32 adds at most half a unit in the last place, 6e-8, to 1e-7 N(0, 1).
        assert relative.abs().max() < 6 * 1e-7
        assert relative.std() == pytest.approx(1e-7, rel=0.25)
        assert abs(relative.mean()) < 2e-8
    assert all(not moved[name].any() for name in plain if name not in PLAIN.trained)


def test_replicates_are_drawn_anew_for_each_variant_and_number():
    configs = [dataclasses.replace(PLAIN, replicate=r) for r in (1, 2)]
    configs += [FAMILY.make_config(p=11, seed=4, data_seed=1, replicate=1)]
    drawn = [FAMILY.init_weights(config)["embed.W_E"] for config in configs]
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(drawn[0], FAMILY.init_weights(configs[0])["embed.W_E"])


def test_the_plain_run_keeps_its_key_and_fingerprint():
    assert PLAIN.key == PLAIN.base_key == "p11_s4_d598"
    # As it was before there were replicates.
    assert PLAIN.fingerprint == "3a928877f57abc6e72a9aed606116a2e650ca50ca2adc026b90cf2ed3fbb4136"
    first = dataclasses.replace(PLAIN, replicate=1)
    assert (first.key, base_key(first), replicate_of(first)) == ("p11_s4_d598_r1", "p11_s4_d598", 1)
    assert first.fingerprint != PLAIN.fingerprint


def test_a_study_asks_for_replicates_of_all_its_variants():
    study = parse_study({"name": "s", "variants": [{"p": 11, "seed": 4}, "p11_s5_d598"], "replicates": 2})
    assert study.variant_keys == ("p11_s4_d598", "p11_s4_d598_r1", "p11_s5_d598", "p11_s5_d598_r1")
    assert study.record()["replicates"] == 2
    alone = parse_study({"name": "s", "variants": ["p11_s4_d598"]})
    assert "replicates" not in alone.record()


def test_replicates_that_can_not_be_are_refused():
    with pytest.raises(BadConfig, match="p11_s4_d598_r1 is a replicate already"):
        parse_study({"name": "s", "variants": ["p11_s4_d598_r1"], "replicates": 2})
