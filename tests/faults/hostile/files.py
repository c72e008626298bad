"""Hostile files in a store, with the right checksum: checkpoints, states, artifacts, tables, plots."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from hypothesis import strategies as st

from tdw.store import Address, Store, TableAddress
from tdw.training.states import StateStore

from ..work import FAMILY, VARIANTS
from .mutations import changed, changed_bytes, fuzz, refused_or, reseal

VARIANT = VARIANTS[0]


def _address(kind: str, epoch: int) -> Address:
    return Address(FAMILY.name, VARIANT, kind, epoch)


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

    return fuzz(check, files(), examples=examples, seed=seed)


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

    return fuzz(check, data, examples=examples, seed=seed)


def fuzz_bundle(store: Store, *, examples: int, seed: int) -> int:
    """Manifests of plots: names and folders that lead elsewhere, with the right checksum."""
    folder = store.document_folder(FAMILY.name, VARIANT, "training_curves")
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
            plot = refused_or(lambda: store.read_document(FAMILY.name, VARIANT, "training_curves"))
            if plot is not None:
                assert plot.folder.resolve().is_relative_to(folder.resolve()), f"{plot.folder} is elsewhere"
                for name in plot.files:
                    data = refused_or(lambda name=name: plot.read(name))
                    assert data != b"not yours", "a file outside of the store was read"
        finally:
            path.write_bytes(good)

    return fuzz(check, manifests, examples=examples, seed=seed)
