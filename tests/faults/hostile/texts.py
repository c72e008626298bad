"""Hostile texts: study files, keys and names, and what lies around in a store under any name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tdw.epochs import parse_epochs
from tdw.integrity.verify import verify
from tdw.store import Address, Store, TableAddress
from tdw.study import load_study

from ..work import FAMILY, VARIANTS
from .mutations import changed, changed_bytes, fuzz, paths, refused_or, scalars

VARIANT = VARIANTS[0]


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

    return fuzz(check, texts, examples=examples, seed=seed)


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
        inside(refused_or(lambda: store.document_folder(FAMILY.name, VARIANT, key)))

    return fuzz(check, st.tuples(texts, epochs), examples=examples, seed=seed)


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
         ("_comparison", "summaries"), ("_comparison.mine", "plots")]
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

    return fuzz(check, st.tuples(folders, names, st.binary(max_size=64)), examples=examples, seed=seed)
