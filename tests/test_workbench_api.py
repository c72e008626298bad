"""The notebook API (R4): every line that the documentation promises."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tiny_variant import TINY, TINY_EPOCHS

import tdw
from tdw.errors import BadConfig, NotFound
from tdw.store import Store


def test_every_step_from_store_to_array_is_one_line(tiny_store: Store) -> None:
    wb = tdw.open(tiny_store.root)
    assert wb.variants() == [TINY]
    v = wb.variant(TINY)
    assert v.epochs() == list(TINY_EPOCHS)
    history = v.history()
    assert list(history.columns) == ["epoch", "train_loss", "test_loss", "test_accuracy"]
    assert history["epoch"].tolist() == list(range(21))
    weights = v.at(20).weights()
    assert weights["embed.W_E"].shape == (8, 128) and weights["blocks.0.attn.W_Q"].shape == (4, 128, 32)
    assert v.at(20).artifact("coarseness")["neuron_fft_ratio_no_dc"].shape == (512,)
    assert v.at(20).artifact("neuron_activations")["neuron_activations"].shape == (512, 7, 7)
    assert v.at(20).provenance().epoch == 20
    assert TINY in wb._repr_html_() and "3 checkpoints" in v._repr_html_()


def test_the_environment_names_the_store_when_nothing_else_does(
    tiny_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TDW_STORE", str(tiny_store.root))
    assert tdw.open().variants() == [TINY]


def test_a_checkpoint_opens_in_transformer_lens_and_agrees(tiny_store: Store) -> None:
    import torch

    checkpoint = tdw.open(tiny_store).variant(TINY).at(20)
    bridge = checkpoint.transformer_lens()
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    tokens = torch.cat([pairs, torch.full((49, 1), 7)], dim=1)
    _, cache = bridge.run_with_cache(tokens)
    ours = checkpoint.artifact("neuron_activations")["neuron_activations"]
    theirs = cache["blocks.0.mlp.hook_post"][:, -1].T.reshape(512, 7, 7).detach().numpy()
    span = theirs.reshape(512, -1).max(1) - theirs.reshape(512, -1).min(1)
    assert (np.abs(ours - theirs).reshape(512, -1).max(1) <= span / 510 + 1e-5).all()


def test_what_is_not_there_is_named_with_what_is(tiny_store: Store) -> None:
    wb = tdw.open(tiny_store)
    with pytest.raises(NotFound, match=f"there is: {TINY}"):
        wb.variant("p5_s1_d598")
    with pytest.raises(BadConfig, match="not the key of a variant"):
        wb.variant("../etc")
    with pytest.raises(NotFound, match=r"no checkpoint of epoch 12\n.*nearest is 10"):
        wb.variant(TINY).at(12)
    with pytest.raises(BadConfig, match="no analyzer is called 'coarsness'"):
        wb.variant(TINY).at(20).artifact("coarsness")
    with pytest.raises(BadConfig, match="no summary"):
        wb.variant(TINY).summary("coarsness")


def test_importing_tdw_and_reading_a_study_loads_neither_torch_nor_dagster() -> None:
    script = (
        "import sys, tdw, tdw.study, tdw.workbench, tdw.analysis.registry, tdw.families, tdw.store\n"
        "heavy = ('torch', 'numba', 'dagster', 'plotly', 'matplotlib', 'pandas')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
