"""Arrays kept on demand: the same bits again in one forward pass, and no gap and no damage anywhere."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from tiny_variant import TINY, TINY_EPOCHS

import tdw
from tdw.errors import BadConfig, NotFound, Unreadable
from tdw.execution.adopt import adopt
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_metrics import resize
from tdw.integrity.verify import verify
from tdw.inventory.cells import find_gaps
from tdw.inventory.records import HeaderRecords
from tdw.inventory.wanted import Wanted
from tdw.making.artifacts import analyze
from tdw.making.figures import variant_figure
from tdw.making.on_demand import drop
from tdw.store import Address, Store
from tdw.store.formats.tensorfile import encode
from tdw.store.on_demand import find_arrays
from tdw.store.seal import check
from tdw.study.parse import parse_study

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant(TINY)
MAPS = "neuron_activations"


def at(epoch: int = 20, kind: str = MAPS) -> Address:
    return Address(FAMILY.name, TINY, kind, epoch)


def study(**more: object):
    values = {
        "name": "thin",
        "variants": [TINY],
        "epochs": 20,
        "checkpoints": list(TINY_EPOCHS),
        "early_epoch": 10,
    }
    return parse_study({**values, **more})


@pytest.fixture
def thinned(tiny_store: Store) -> Store:
    """Maps of all epochs dropped."""
    assert drop(tiny_store, FAMILY, TINY, MAPS, TINY_EPOCHS).refused == {}
    return tiny_store


def test_what_is_dropped_comes_back_with_the_same_bits(tiny_store: Store) -> None:
    before = {epoch: tiny_store.read(at(epoch)) for epoch in TINY_EPOCHS}
    sizes = {epoch: tiny_store.path(at(epoch)).stat().st_size for epoch in TINY_EPOCHS}
    done = drop(tiny_store, FAMILY, TINY, MAPS, TINY_EPOCHS)
    after = {epoch: tiny_store.path(at(epoch)).stat().st_size for epoch in TINY_EPOCHS}
    assert max(after.values()) < 2000 and done.freed == sum(sizes.values()) - sum(after.values())
    for epoch, old in before.items():
        found = tiny_store.read(at(epoch))
        np.testing.assert_array_equal(found.arrays[MAPS], old.arrays[MAPS])
        assert (found.sha256, found.provenance) == (old.sha256, old.provenance)
        rows = tiny_store.read_quantized_rows(at(epoch), MAPS, [3, 17])
        np.testing.assert_array_equal(rows.decode(), old.arrays[MAPS][[3, 17]])
    assert drop(tiny_store, FAMILY, TINY, MAPS, TINY_EPOCHS).freed == 0  # nothing is left to drop


def test_arrays_without_rows_of_their_own_come_back_too(tiny_store: Store) -> None:
    kind = "attention_patterns"
    block = tiny_store.read_block(at(kind=kind), kind, [1, 2])
    assert not drop(tiny_store, FAMILY, TINY, kind, [20]).refused
    assert tiny_store.header(at(kind=kind)).on_demand
    np.testing.assert_array_equal(tiny_store.read_block(at(kind=kind), kind, [1, 2]), block)


def test_a_study_that_keeps_some_epochs_writes_the_others_so_at_once(tiny_store: Store) -> None:
    whole = {epoch: tiny_store.read(at(epoch)).sha256 for epoch in TINY_EPOCHS}
    for epoch in TINY_EPOCHS:
        tiny_store.delete(at(epoch))
    chosen = study(keep={MAPS: 2})
    assert chosen.on_demand(MAPS, [*TINY_EPOCHS, 15]) == {10, 15}  # every second, and the last
    cells = {MAPS: TINY_EPOCHS, "coarseness": TINY_EPOCHS}
    found = list(analyze(
        tiny_store, FAMILY, CONFIG, cells, device="cpu",
        on_demand={name: chosen.on_demand(name, epochs) for name, epochs in cells.items()},
    ))  # fmt: skip
    assert [cell.error for cell in found] == [None] * 6
    assert set(find_arrays(tiny_store, FAMILY.name, TINY, MAPS).kept) == {0, 20}
    # What is recorded of a cell is the content, whether it lies there or not.
    assert {c.epoch: c.written.sha256 for c in found if c.analyzer == MAPS and c.written} == whole


@pytest.mark.parametrize(
    ("keep", "dropped"), [("all", ()), ("on_demand", TINY_EPOCHS), (1, ()), (2, (10,)), (9, (10,))]
)
def test_a_study_says_which_epochs_keep_their_arrays(keep: object, dropped: tuple[int, ...]) -> None:
    assert study(keep={MAPS: keep}).on_demand(MAPS, TINY_EPOCHS) == set(dropped)
    assert study().on_demand(MAPS, TINY_EPOCHS) == set()


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ({MAPS: 0}, "should be greater than or equal to 1, got 0"),
        ({MAPS: "some"}, "got 'some'"),
        ({"maps": 2}, "no analyzer is called 'maps'"),
        ({"coarseness_stats": 2}, "is made from coarseness, so it can't be kept on demand"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(keep: object, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        study(keep=keep)


def test_a_study_without_a_choice_has_the_record_that_it_had() -> None:
    assert "keep" not in study().record()
    assert study(keep={MAPS: 2}).fingerprint != study().fingerprint


def test_it_is_neither_a_gap_nor_damage_nor_out_of_date(thinned: Store) -> None:
    wanted = Wanted.of(study(analyzers=[MAPS, "coarseness"]))
    gaps = find_gaps(wanted, HeaderRecords(wanted, thinned), thinned)[TINY].cells[MAPS]
    assert set(gaps.recorded) == set(TINY_EPOCHS)
    assert not (gaps.missing or gaps.unrecorded or gaps.out_of_date or gaps.lost)
    assert [checked.finding for checked in verify(thinned) if checked.finding] == []


def test_verify_and_adoption_name_the_content_that_was_recorded(tiny_store: Store) -> None:
    whole = tiny_store.read(at()).sha256
    wanted = Wanted.of(study(analyzers=[MAPS]))
    checkpoint = HeaderRecords(wanted, tiny_store).cells("checkpoint", {TINY: [20]})[TINY][20]
    before = adopt(wanted, tiny_store, TINY, MAPS, 20, checkpoint)
    drop(tiny_store, FAMILY, TINY, MAPS, [20])
    after = adopt(wanted, tiny_store, TINY, MAPS, 20, checkpoint)
    assert before is not None and after is not None and before.version == after.version
    contents = {c.content for c in verify(tiny_store) if c.kind == MAPS and c.epoch == 20}
    assert contents == {whole}


def test_a_changed_byte_of_what_is_kept_is_damage(thinned: Store) -> None:
    path = thinned.path(at())
    data = bytearray(path.read_bytes())
    data[data.index(b"tdw_on_demand") + 20] ^= 1
    path.write_bytes(data)
    problems = {Path(c.path): c.finding.problem for c in verify(thinned) if c.finding}
    assert problems == {path: "corrupt"}


def test_figures_and_notebooks_see_what_they_saw(tiny_store: Store) -> None:
    def seen() -> tuple[str, np.ndarray]:
        figure = variant_figure(tiny_store, FAMILY, TINY, "multi_scale_56")
        maps = tdw.open(tiny_store).variant(TINY).at(20).artifact(MAPS)[MAPS]
        return figure.to_json(), resize(maps[:2], 5)

    maps, head = seen()
    drop(tiny_store, FAMILY, TINY, MAPS, TINY_EPOCHS)
    again = seen()
    assert again[0] == maps
    np.testing.assert_array_equal(again[1], head)


def test_other_bits_are_refused_with_what_differs(thinned: Store) -> None:
    from tdw.store import on_demand

    kept = thinned.read_kept(at())
    environment = {**kept.provenance.environment, "torch": "1.0.0"}
    made = dataclasses.replace(kept.provenance, environment=environment)
    arrays = tdw.open(thinned).variant(TINY).at(20).artifact(MAPS)
    thinned.write(at(), {MAPS: arrays[MAPS] + 1}, provenance=made, quantize=[MAPS], on_demand=True)
    on_demand._computed.clear()
    with pytest.raises(Unreadable, match=r"the bits differ \(torch 1\.0\.0 when it was made, "):
        thinned.read(at())


def test_of_another_checkpoint_it_is_refused_and_without_one_the_checkpoint_is_named(thinned: Store) -> None:
    from tdw.store import on_demand

    on_demand._computed.clear()
    checkpoint = at(kind="checkpoints")
    other = thinned.read(at(10, "checkpoints"))
    made = dataclasses.replace(other.provenance, epoch=20)
    thinned.write(checkpoint, other.arrays, provenance=made)
    with pytest.raises(Unreadable, match="it is of checkpoint"):
        thinned.read(at())
    thinned.write(checkpoint, thinned.read(at(0, "checkpoints")).arrays, provenance=made)
    with pytest.raises(Unreadable, match=r"can't be computed here: .* the weights have fingerprint"):
        thinned.read(at())
    thinned.delete(checkpoint)
    with pytest.raises(NotFound, match=r"checkpoints/00020"):
        thinned.read(at())


def test_what_does_not_come_back_the_same_is_not_dropped(tiny_store: Store) -> None:
    old = tiny_store.read(at())
    shifted = {MAPS: old.arrays[MAPS] + 1}
    tiny_store.write(at(), shifted, provenance=old.provenance, quantize=[MAPS])
    done = drop(tiny_store, FAMILY, TINY, MAPS, [20])
    assert done.freed == 0 and list(done.refused.values()) == [[20]]
    assert "the bits differ" in next(iter(done.refused))
    np.testing.assert_array_equal(tiny_store.read_kept(at()).arrays[MAPS], tiny_store.read(at()).arrays[MAPS])


def test_each_is_tried_before_its_arrays_go(tiny_store: Store) -> None:
    old = tiny_store.read(at(10))
    tiny_store.write(at(10), {MAPS: old.arrays[MAPS] + 1}, provenance=old.provenance, quantize=[MAPS])
    tiny_store.delete(at(20, "checkpoints"))
    done = drop(tiny_store, FAMILY, TINY, MAPS, TINY_EPOCHS)
    assert sorted(done.refused.values()) == [[10], [20]]  # other bits; nothing to compute them from
    assert find_arrays(tiny_store, FAMILY.name, TINY, MAPS).on_demand == [0]


def test_rows_are_read_while_somebody_brings_the_arrays_back(
    tiny_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiny_store.read(at())
    drop(tiny_store, FAMILY, TINY, MAPS, [20])
    opened = Store._opened

    @contextlib.contextmanager
    def opened_before(self: Store, address: Address):
        with opened(self, address) as found:
            self.write(at(), whole.arrays, provenance=whole.provenance, quantize=[MAPS])
            yield found

    monkeypatch.setattr(Store, "_opened", opened_before)
    rows = tiny_store.read_quantized_rows(at(), MAPS, [3, 17])
    np.testing.assert_array_equal(rows.decode(), whole.arrays[MAPS][[3, 17]])


def test_equal_cells_have_equal_bytes_and_other_programs_open_them(thinned: Store) -> None:
    kept = thinned.read_kept(at())
    files = {bytes(encode({}, kept.provenance, on_demand=kept.sha256)[0]) for _ in range(20)}
    assert files == {thinned.read_bytes(at())}
    with safe_open(thinned.path(at()), framework="numpy") as opened:
        assert list(opened.keys()) == [] and opened.metadata()["tdw_on_demand"] == kept.sha256


def test_what_is_kept_is_sealed_and_small_records_of_other_kinds_are_no_such_file(thinned: Store) -> None:
    data = thinned.read_bytes(at())
    assert check(data, path="") != thinned.read_kept(at()).sha256
    assert not thinned.header(at(kind="coarseness")).on_demand
    assert thinned.read_kept(at(kind="coarseness")).arrays
