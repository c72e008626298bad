"""Inputs that mean harm: made by hand or by hypothesis, with a right checksum where a file has one.

A loader may refuse with an error of ours, or take a value that keeps its promises. It may not crash, run
code, or read or write outside of the store.
"""

from __future__ import annotations

import copy
import hashlib
import json
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st

from tdw.errors import TdwError
from tdw.integrity import verify
from tdw.store import Address, Store, TableAddress, seal
from tdw.study import load_study
from tdw.training.schedule import parse_epochs
from tdw.training.states import StateStore

from .killing import run_child
from .outcome import Outcome, Run
from .work import FAMILY, VARIANTS, fill_by_library

HELD = "an error of ours or a sound value; no code run, nothing read or written outside of the store"
VARIANT = VARIANTS[0]

paths = st.sampled_from(
    [
        "..",
        "../..",
        "/etc/passwd",
        "/",
        "~",
        "a/../../b",
        "..\\..",
        "a\0b",
        "C:\\x",
        ".",
        "",
        "x" * 300,
        "\n",
        "%2e",
    ]
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | paths
    | st.sampled_from([2**63, -(2**64), 10**40, 1e308, "NaN", "__class__", "{0.__class__}"])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12) | paths, inner, max_size=4)
    ),
    max_leaves=12,
)


def _places(tree: Any) -> list[tuple[Any, ...]]:
    """Every place in nested mappings and lists."""
    if isinstance(tree, dict):
        return [(k, *rest) for k, v in tree.items() for rest in [(), *_places(v)]]
    if isinstance(tree, list):
        return [(i, *rest) for i, v in enumerate(tree) for rest in [(), *_places(v)]]
    return []


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """A copy of which one to three places hold something else, are gone, or have another name."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(tree)
        if not places:
            return draw(values)
        *way, last = draw(st.sampled_from(places))
        holder = tree
        for part in way:
            holder = holder[part]
        what = draw(st.sampled_from(["change", "change", "remove", "rename"]))
        if what == "remove":
            del holder[last]
        elif what == "rename" and isinstance(holder, dict):
            holder[draw(paths | st.text(max_size=12))] = holder.pop(last)
        else:
            holder[last] = draw(values)
    return tree


@st.composite
def changed_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """A copy with some bytes changed, removed or put in."""
    mutable = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(mutable) - 1)))
        what = draw(st.sampled_from(["set", "cut", "insert"]))
        if what == "set" and mutable:
            mutable[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del mutable[at : at + draw(st.integers(1, 64))]
        else:
            mutable[at:at] = draw(st.binary(min_size=1, max_size=16))
    return bytes(mutable)


def reseal(data: bytes) -> bytes:
    """Put the right checksum in, as an attacker would."""
    at = data.find(seal.MARK)
    if at < 0 or len(data) < at + len(seal.MARK) + 64:
        return data
    at += len(seal.MARK)
    blank = data[:at] + b"0" * 64 + data[at + 64 :]
    return data[:at] + hashlib.sha256(blank).hexdigest().encode() + data[at + 64 :]


def _address(kind: str, epoch: int) -> Address:
    return Address(FAMILY.name, VARIANT, kind, epoch)


# One fuzzer a loader: (store, number of examples, seed) -> number of examples


def _fuzz(check: Callable[[Any], None], strategy: st.SearchStrategy[Any], *, examples: int, seed: int) -> int:
    ran = 0

    @hypothesis_seed(seed)
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    @given(strategy)
    def run(value: Any) -> None:
        nonlocal ran
        ran += 1
        check(value)

    run()
    return ran


def refused_or(read: Callable[[], Any]) -> Any:
    """The value, or None where it is refused with a message and a remedy."""
    try:
        return read()
    except TdwError as error:
        assert error.what and error.remedy, "an error without a message or a remedy"
        return None


def fuzz_study(store: Store, *, examples: int, seed: int) -> int:
    """Study files: changed values, YAML that names code, bytes."""
    import yaml

    canary = store.root.parent / "canary"
    plain = {
        "family": FAMILY.name,
        "name": "s",
        "variants": [{"p": 5, "seed": 1, "data_seed": 598}, "p7_s2_d598"],
        "epochs": 12,
        "checkpoints": [0, "2:12:2"],
        "analyzers": ["coarseness"],
        "training": {"state_every": 5},
    }
    codes = [
        f"!!python/object/apply:os.system ['touch {canary}']",
        f"variants: !!python/object/new:subprocess.Popen [['touch', '{canary}']]",
        "a: &a [*a, *a]\nvariants: *a",
        "x: &x {y: *x}",
        "<<: {family: [1, 2]}",
        "epochs: 12\nepochs: 13",
        "checkpoints: ['0:99999999999999:1']",
        "checkpoints: [" + "[" * 2000,
    ]
    texts = (
        changed(plain).map(lambda value: yaml.safe_dump(value, allow_unicode=True).encode())
        | changed_bytes(yaml.safe_dump(plain).encode())
        | st.sampled_from(codes).map(str.encode)
        | st.binary(max_size=200)
    )
    path = store.root.parent / "study.yaml"

    def check(data: bytes) -> None:
        path.write_bytes(data)
        found = refused_or(lambda: load_study(path))
        if found is not None:
            assert all(FAMILY.parse_variant(key).key == key for key in found.variant_keys)
            assert list(found.epoch_list) == sorted(set(found.epoch_list))
        assert not canary.exists(), "code of a study file was run"

    return _fuzz(check, texts, examples=examples, seed=seed)


def fuzz_keys(store: Store, *, examples: int, seed: int) -> int:
    """Variant keys, epochs and names, as they come from a URL, a command line or a study."""
    near = st.sampled_from(["p5_s1_d598", "p113_s999_d598", "p59_s999_d598_f0.4", "p7_s2_d598_f0.5"])
    texts = (
        st.text(max_size=40)
        | paths
        | near.flatmap(lambda key: changed_bytes(key.encode()).map(lambda b: b.decode(errors="replace")))
    )
    epochs = st.text(max_size=30) | st.from_regex(r"\A-?\d{1,13}:-?\d{1,13}(:-?\d{1,13})?\Z") | scalars

    def inside(where: Path | None) -> None:
        assert where is None or where.resolve().is_relative_to(store.root), f"{where} is outside of the store"

    def check(given: tuple[str, Any]) -> None:
        key, epoch = given
        config = refused_or(lambda: FAMILY.parse_variant(key))
        assert config is None or config.key == key
        found = refused_or(lambda: parse_epochs([epoch]))
        assert found is None or all(isinstance(e, int) and e >= 0 for e in found)
        for address in (
            Address(FAMILY.name, key, "coarseness", 0),
            Address(key, VARIANT, "coarseness", 0),
            Address(FAMILY.name, VARIANT, key, 0),
            TableAddress(FAMILY.name, VARIANT, key),
        ):
            inside(refused_or(lambda address=address: store.path(address)))
        inside(refused_or(lambda: store.plot_folder(FAMILY.name, VARIANT, key)))

    return _fuzz(check, st.tuples(texts, epochs), examples=examples, seed=seed)


def fuzz_artifact(store: Store, *, examples: int, seed: int) -> int:
    """Checkpoints, states and artifacts: changed headers and bytes, with the right checksum."""
    kinds = {"checkpoints": 3, "states": 5, "neuron_activations": 3, "coarseness": 3}
    good = {kind: store.path(_address(kind, epoch)).read_bytes() for kind, epoch in kinds.items()}
    states = StateStore(store, FAMILY.name, VARIANT, FAMILY.parse_variant(VARIANT).fingerprint)

    @st.composite
    def files(draw: st.DrawFn) -> tuple[str, bytes]:
        kind = draw(st.sampled_from(sorted(kinds)))
        data = good[kind]
        length = struct.unpack_from("<Q", data)[0]
        header, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
        if draw(st.booleans()):
            note = header["__metadata__"]["tdw"]
            mark, _, provenance = note.partition(" ")
            header["__metadata__"]["tdw"] = f"{mark} {json.dumps(draw(changed(json.loads(provenance))))}"
        else:
            header = draw(changed(header))
        text = json.dumps(header).encode()
        size = draw(st.sampled_from([len(text)] * 8 + [0, 2**63, len(text) + 1, len(data)]))
        made = struct.pack("<Q", size) + text + tensors
        if draw(st.integers(0, 3)) == 0:
            made = draw(changed_bytes(data[: 8 + length])) + tensors
        return kind, reseal(made)

    def check(given: tuple[str, bytes]) -> None:
        kind, data = given
        address = _address(kind, kinds[kind])
        path = store.path(address)
        try:
            path.write_bytes(data)
            refused_or(lambda: store.read(address))
            refused_or(lambda: store.provenance(address))
            refused_or(lambda: store.read_rows(address, kind, [0, 3]))
            if kind == "states":
                refused_or(lambda: states.load(kinds[kind]))
        finally:
            path.write_bytes(good[kind])

    return _fuzz(check, files(), examples=examples, seed=seed)


def fuzz_table(store: Store, *, examples: int, seed: int) -> int:
    """Parquet tables: bytes changed anywhere, with the right checksum; footers of others."""
    address = TableAddress(FAMILY.name, VARIANT, "history")
    path = store.path(address)
    good = path.read_bytes()
    footer = len(good) - 8 - struct.unpack_from("<I", good, len(good) - 8)[0]
    data = changed_bytes(good) | changed_bytes(good[footer:]).map(lambda tail: good[:footer] + tail)

    def check(data: bytes) -> None:
        try:
            path.write_bytes(reseal(data))
            refused_or(lambda: store.read_table(address))
        finally:
            path.write_bytes(good)

    return _fuzz(check, data, examples=examples, seed=seed)


def fuzz_bundle(store: Store, *, examples: int, seed: int) -> int:
    """Manifests of plots: names and folders that lead elsewhere, with the right checksum."""
    folder = store.plot_folder(FAMILY.name, VARIANT, "training_curves")
    path = folder / "manifest.json"
    good = path.read_bytes()
    plain = json.loads(good)
    secret = store.root.parent / "secret"
    secret.write_text("not yours")
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()
    aimed = [
        plain | {"content": content, "files": {name: [9, digest]}}
        for content in ("..", "../../../../..", str(store.root.parent), "../" * 5)
        for name in ("secret", "../secret", str(secret))
    ]
    manifests = changed(plain) | st.sampled_from(aimed)

    def check(manifest: Any) -> None:
        try:
            path.write_bytes(reseal(json.dumps(manifest, indent=1).encode()))
            plot = refused_or(lambda: store.read_plot(FAMILY.name, VARIANT, "training_curves"))
            if plot is not None:
                assert plot.folder.resolve().is_relative_to(folder.resolve()), f"{plot.folder} is elsewhere"
                for name in plot.files:
                    data = refused_or(lambda name=name: plot.read(name))
                    assert data != b"not yours", "a file outside of the store was read"
        finally:
            path.write_bytes(good)

    return _fuzz(check, manifests, examples=examples, seed=seed)


def fuzz_verify(store: Store, *, examples: int, seed: int) -> int:
    """What lies around in a store, under any name: `tdw verify` names it and goes on."""
    where = store.root / FAMILY.name
    names = st.from_regex(r"\A[\w.\- ]{1,30}\Z") | st.sampled_from(
        [
            "00001.safetensors",
            "99999999.safetensors",
            "manifest.json",
            "x.parquet",
            ".y.1.tmp",
            "plots",
            "locks",
        ]
    )
    folders = st.sampled_from(
        [(), (VARIANT,), (VARIANT, "coarseness"), (VARIANT, "plots"), (VARIANT, "plots", "mine"),
         (VARIANT, "summaries"), (VARIANT, "newkind"), ("p6_s1_d1",), ("_comparison", "plots"),
         ("_comparison", "summaries")]
    )  # fmt: skip

    def check(given: tuple[tuple[str, ...], str, bytes]) -> None:
        parts, name, data = given
        folder = where.joinpath(*parts)
        path = folder / name
        if name in (".", "..") or path.exists():
            return
        made = [p for p in (folder, *folder.parents) if not p.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(data)
            list(verify(store))
        finally:
            path.unlink()
            for p in made:
                p.rmdir()

    return _fuzz(check, st.tuples(folders, names, st.binary(max_size=64)), examples=examples, seed=seed)


FUZZERS = {
    "study files": fuzz_study,
    "variant keys, epochs and names": fuzz_keys,
    "checkpoints, states and artifacts with a right checksum": fuzz_artifact,
    "tables with a right checksum": fuzz_table,
    "plot bundles with a right checksum": fuzz_bundle,
    "foreign files in a store": fuzz_verify,
}


@contextmanager
def filled_store() -> Iterator[Store]:
    """A small store to be abused."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        ended = run_child(lambda: fill_by_library(root), root)
        assert ended.code == 0, ended.words
        yield Store(root)


def hostile_inputs(run: Run) -> list[Outcome]:
    """Every loader in turn, until the time is up."""
    outcomes = {name: Outcome(f"hostile {name} (hypothesis)", HELD) for name in FUZZERS}
    with filled_store() as store:
        round_ = 0
        while round_ == 0 or not run.over:
            for name, fuzz in FUZZERS.items():
                examples = 20 if name == "foreign files in a store" else 200
                try:
                    outcomes[name].injected += fuzz(store, examples=examples, seed=run.random.getrandbits(32))
                except Exception as error:
                    outcomes[name].lose(f"{type(error).__name__}: {error}")
            round_ += 1
    return list(outcomes.values())
