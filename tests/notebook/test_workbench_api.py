"""The notebook API (R4): every line that the documentation promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_variant import TINY, TINY_EPOCHS

import tdw
from tdw.errors import BadConfig, NotFound
from tdw.families import get_family
from tdw.making.comparison import write_comparison
from tdw.notebook.workbench import Workbench
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import get_report
from tdw.store import Address, Store
from tdw.study import load_study


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
    assert v.at(20).artifacts() == [*catalog_of(v.family).default_names]


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
    for wrong in (-1, 1.5, "first"):
        with pytest.raises(BadConfig, match=r'epoch is .*\n.*"last" for the last one'):
            wb.variant(TINY).at(wrong)  # type: ignore[arg-type]
    with pytest.raises(BadConfig, match="no summary"):
        wb.variant(TINY).summary("coarsness")


def test_the_last_checkpoint_has_a_name(tiny_store: Store) -> None:
    v = tdw.open(tiny_store).variant(TINY)
    assert v.at("last").epoch == 20
    for epoch in (0, 10, 20):
        tiny_store.delete(Address("modulo_addition_1layer", TINY, "checkpoints", epoch))
    with pytest.raises(NotFound, match="no checkpoint yet"):
        v.at("last")


def test_python_beside_a_clone_that_is_called_tdw_finds_the_package(tmp_path: Path) -> None:
    (tmp_path / "tdw" / "docs").mkdir(parents=True)
    script = "import tdw; print(tdw.open.__name__)"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.stdout.strip() == "open", f"{found.stderr}\ninstall it as the Makefile does"


def test_importing_tdw_and_reading_a_study_loads_neither_torch_nor_dagster() -> None:
    script = (
        "import sys, tdw, tdw.study, tdw.notebook.workbench, tdw.recipes.catalog, tdw.families, tdw.store\n"
        "heavy = ('torch', 'numba', 'dagster', 'plotly', 'matplotlib', 'pandas')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


@pytest.fixture
def summarized(tiny_store: Store, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A store in which the library alone has made everything of TINY; reports without their figures."""
    for module in ("comparison_report", "study_comparison", "study_report"):
        monkeypatch.setattr(f"tdw.reports.{module}.draw", lambda *args: b"<svg/>")
    wb = tdw.open(tiny_store)
    wb.make(TINY, list(TINY_EPOCHS))
    return wb


def test_what_is_missing_is_made_and_what_is_there_is_left_alone(summarized) -> None:
    wb, v = summarized, summarized.variant(TINY)
    assert "coarseness" in v.summaries() and "grokking" in v.summaries()
    files = {path: path.stat().st_mtime_ns for path in wb.store.root.rglob("*.safetensors")}
    wb.make(TINY, [*TINY_EPOCHS, 15], analyzers=["coarseness", "coarseness_stats"])
    assert v.at(15).artifacts() == ["coarseness", "coarseness_stats"]
    assert v.summary("coarseness")["epoch"].tolist() == [0, 10, 15, 20]
    assert {path: path.stat().st_mtime_ns for path in files} == files
    with pytest.raises(BadConfig, match="no analyzer is called 'nothing'"):
        wb.make(TINY, [0], analyzers=["nothing"])
    with pytest.raises(BadConfig, match="not the key"):
        wb.make("p7", [0])


def test_cells_that_can_not_be_computed_are_named(tiny_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from tdw.errors import CellsFailed
    from tdw.families.modulo_addition_1layer.analyzers import coarseness
    from tdw.store import Address

    tiny_store.delete(Address("modulo_addition_1layer", TINY, "coarseness", 20))

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no disc")

    monkeypatch.setattr(coarseness.metrics, "fft_ratio", broken)
    with pytest.raises(CellsFailed, match=r"coarseness, epoch 20: .*no disc"):
        tdw.open(tiny_store).make(TINY, list(TINY_EPOCHS))


def test_comparisons_and_reports_are_a_line_each(summarized, tmp_path) -> None:
    wb = summarized
    wb.make("p7_s2_d598_f0.5", [0, 10], analyzers=["coarseness", "coarseness_stats"])
    assert wb.table(early_epoch=10)["variant"].tolist() == [TINY, "p7_s2_d598_f0.5"]
    assert "1 of 2 variants are trained to epoch 20" in wb.report(early_epoch=10, last_epoch=20).markdown
    assert wb.compare(TINY, "p7_s2_d598_f0.5").title == "seed = 1 and seed = 2"
    assert wb.compare([TINY], ["p7_s2_d598_f0.5"], last_epoch=20).report().differences
    assert [g.names for g, _ in wb.groups(early_epoch=10, last_epoch=20).groupings] == [
        ("seed = 1", "seed = 2")
    ]
    exported = wb.export(tmp_path / "b.tdw.tar", TINY)
    imported = tdw.open(tmp_path / "there").import_bundle(exported.path)
    assert imported.variants == (TINY,)
    there = tdw.open(tmp_path / "there").variant(TINY)
    assert there.summary("coarseness").equals(wb.variant(TINY).summary("coarseness"))


def test_a_study_is_named_where_a_store_has_comparisons_of_several(tiny_store: Store, tmp_path: Path) -> None:
    wb, family, file = tdw.open(tiny_store), get_family("modulo_addition_1layer"), tmp_path / "mine.yaml"
    file.write_text(f"variants: [{TINY}]\nepochs: 20\ncheckpoints: [0, 10, 20]\nearly_epoch: 10\n")
    mine, another = load_study(file), "p7_s2_d598_f0.5"
    for folder, keys in ((None, (another,)), (mine.folder, (TINY,)), ("_comparison.other", (TINY, another))):
        write_comparison(tiny_store, family, map(family.parse_variant, keys), folder=folder)
        if folder != "_comparison.other":  # there is one alone: that of no study, then that of one
            assert tuple(wb.comparison("comparison")["variant"]) == keys
    with pytest.raises(BadConfig, match=r"several studies of modulo_addition_1layer: mine, other\n.*study="):
        wb.comparison("comparison")
    for named in ("mine", file, mine):
        assert list(wb.comparison("comparison", study=named)["variant"]) == [TINY]
    assert list(wb.comparison("comparison", study="other")["variant"]) == [TINY, another]
    with pytest.raises(BadConfig, match=r"neither a study file nor .*\n.*there is: mine, other"):
        wb.plot("mean_coarseness_comparison", study="theirs")
    assert list(wb.table(study=mine)["variant"]) == [TINY]


def test_the_report_says_what_the_page_says(tiny_store: Store, tmp_path: Path) -> None:
    file, added = tmp_path / "mine.yaml", "p7_s2_d598_f0.5"
    file.write_text(f"variants: [{TINY}]\nepochs: 20\ncheckpoints: [0, 10, 20]\nearly_epoch: 10\n")
    mine, wb = load_study(file), tdw.open(tiny_store)
    asset, family = get_report("study_report"), mine.family_declaration
    assert wb.report().title == "Study report" and added not in wb.report(file).markdown
    configs = [family.parse_variant(key) for key in (TINY, added)]  # the second was added in Dagster
    asset.write(
        tiny_store, family, configs,
        title=f"{asset.title}: {mine.name}", early_epoch=mine.early_epoch, last_epoch=mine.epochs, study=mine,
    )  # fmt: skip
    page = tiny_store.read_document(family.name, mine.folder, asset.name).read("report.md").decode()
    assert added in page
    for told in (wb.report(), wb.report("mine"), wb.report(file), wb.report(mine)):
        assert told.markdown == page
    assert wb.report(early_epoch=10).markdown != page
    file.write_text(file.read_text().replace(f"[{TINY}]", f"[{TINY}, p7_s3_d598_f0.5]"))
    assert "p7_s3_d598_f0.5" in wb.report(file).markdown and added in wb.report(file).markdown
    with pytest.raises(BadConfig, match="neither a study file"):
        wb.report("theirs")


def test_everything_shows_itself_in_a_notebook(summarized, tmp_path) -> None:
    wb = summarized
    v = wb.variant(TINY)
    shown = {
        "workbench": (wb, TINY),
        "variant": (v, "3, epochs 0 to 20"),
        "checkpoint": (v.at(20), "neuron_activations"),
        "weights": (v.at(20).weights(), "embed.W_E"),
        "artifact": (v.at(20).artifact("coarseness"), "(512,)"),
        "provenance": (v.at(20).provenance("coarseness"), "checkpoint_fingerprint"),
        "history": (v.history(), "train_loss"),
        "summary": (v.summary("coarseness"), "mean_coarseness"),
        "plot": (v.plot("training_curves"), "plotly"),
        "table": (wb.table(early_epoch=10), "grokking_epoch"),
        "report": (wb.report(early_epoch=10, last_epoch=20), "Study report"),
        "comparison": (wb.groups(early_epoch=10), "Comparison of groups"),
        "export": (wb.export(tmp_path / "b.tar", TINY), "sha256"),
        "import": (tdw.open(tmp_path / "there").import_bundle(tmp_path / "b.tar"), "num_new"),
    }
    for name, (value, part) in shown.items():
        html = value._repr_html_()
        assert part in html, name
        assert "<script src" not in html or name == "plot", name  # plotly's own display names its library


def test_names_are_text_in_a_notebook_and_never_markup() -> None:
    from tdw.html_repr import Arrays, html_fields, html_frame

    evil = "<img src=x onerror=alert(1)>"
    page = html_frame(f"<p title='a\"b'>{evil}</p>")
    for html in (Arrays({evil: np.zeros(2)})._repr_html_(), html_fields(evil, {evil: evil})):
        assert "<img" not in html
    assert page.count('"') == 4 and "<img" not in page and "sandbox" in page
