"""Hostile files from elsewhere: bundles for `tdw import`, weights trained by others."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import tarfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tdw.exchange.bundle import export_bundle
from tdw.exchange.import_checkpoints import import_bundle
from tdw.exchange.state_dicts import import_checkpoints
from tdw.store import Address, Store
from tdw.store.layout import CHECKPOINTS

from ..work import FAMILY, VARIANTS, Tree
from .bags import bag, unpack
from .mutations import changed, changed_bytes, fuzz, paths, refused_or

VARIANT = VARIANTS[0]


def fuzz_archive(store: Store, *, examples: int, seed: int) -> int:
    """Bundles: manifests that lead elsewhere with right checksums, other members, bytes changed anywhere."""
    place = store.root.parent
    good = place / "good.tdw.tar"
    export_bundle(store, FAMILY, [VARIANT], good, include=["coarseness_stats", "summaries"])
    data = good.read_bytes()
    files, plain = unpack(good)
    secret = place / "secret"
    secret.write_text("not yours")

    @st.composite
    def archives(draw: st.DrawFn) -> bytes:
        if draw(st.integers(0, 2)) == 0:
            return draw(changed_bytes(data))
        inside = dict(files)
        for _ in range(draw(st.integers(0, 2))):
            name = draw(st.sampled_from(sorted(inside)))
            contents = inside.pop(name)
            where = draw(paths | st.just(name) | st.sampled_from(_elsewhere(name)))
            inside[where] = draw(st.just(contents) | st.binary(max_size=64))
        note = draw(changed(plain) if draw(st.booleans()) else st.just(plain))
        kind = draw(
            st.sampled_from([tarfile.REGTYPE] * 6 + [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
        )
        return _archive(note, inside, kind, str(secret))

    around = Tree.of(place)

    def check(made: bytes) -> None:
        file, there = place / "hostile.tdw.tar", Store(place / "imported")
        file.write_bytes(made)
        try:
            found = refused_or(lambda: import_bundle(there, file))
            left = Tree.of(there.root).digests if there.root.exists() else {}
            # What is visible has come through all checks; a refused bundle leaves nothing.
            assert (found is None) == (not left), f"refused, and yet visible: {sorted(left)}"
            for path in left:
                assert path.startswith(f"{FAMILY.name}/"), f"{path} is no place of the store"
            assert not list(there.root.glob(".import-*")), "a copy stays behind"
        finally:
            shutil.rmtree(there.root, ignore_errors=True)
            file.unlink()
        assert Tree.of(place).differs_from(around) == [], "a file outside of the store was written"

    return fuzz(check, archives(), examples=examples, seed=seed)


def fuzz_weights(store: Store, *, examples: int, seed: int) -> int:
    """Weights for `import_checkpoints`: pickles that run code, tensors of other names, shapes and bytes."""
    import torch
    from safetensors.torch import save

    place = store.root.parent
    canary, config = place / "canary", FAMILY.parse_variant(VARIANT)
    arrays = store.read(Address(FAMILY.name, VARIANT, CHECKPOINTS, 0)).arrays
    weights = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    saved = io.BytesIO()
    torch.save(weights, saved)

    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (canary,))

    codes = [pickle.dumps(Runs(), protocol=protocol) for protocol in (0, 2, 4)]
    for payload in (Runs(), {"embed.W_E": Runs()}, {**weights, "more": Runs()}):
        coded = io.BytesIO()
        torch.save(payload, coded)
        codes.append(coded.getvalue())
    safe = save(weights)
    length = struct.unpack_from("<Q", safe)[0]
    header, tensors = json.loads(safe[8 : 8 + length]), safe[8 + length :]

    def joined(changed_header: Any) -> bytes:
        text = json.dumps(changed_header).encode()
        return struct.pack("<Q", len(text)) + text + tensors

    files = st.tuples(
        st.sampled_from([".safetensors", ".pth"]),
        changed(header).map(joined)
        | changed_bytes(safe)
        | changed_bytes(saved.getvalue())
        | st.sampled_from(codes)
        | st.binary(max_size=100),
    )

    def check(given: tuple[str, bytes]) -> None:
        suffix, data = given
        file, there = place / f"foreign{suffix}", Store(place / "foreign")
        file.write_bytes(data)
        try:
            refused_or(lambda: import_checkpoints(there, FAMILY, config, {0: file}))
            assert not canary.exists(), "code of a file of weights was run"
        finally:
            shutil.rmtree(there.root, ignore_errors=True)
            file.unlink()

    return fuzz(check, files, examples=examples, seed=seed)


def _elsewhere(name: str) -> list[str]:
    """Names near a good one that lead out of its place."""
    return [f"../{name}", f"/{name}", name.replace("/", "/../", 1), f"{name}/x", f".{name}", name.upper()]


def _archive(note: Any, files: dict[str, bytes], kind: bytes, target: str) -> bytes:
    """A bag whose checksums are right, as an attacker would make it; its last member may be a link."""
    made = io.BytesIO()
    members = bag(files, note)
    last = next(reversed(members)) if files and kind != tarfile.REGTYPE else ""
    for path, data in members.items():
        info = tarfile.TarInfo(path)
        info.size, info.mode = len(data), 0o644
        if path == last:
            info.type, info.linkname, info.size, data = kind, target, 0, b""
        header = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        made.write(header + data + bytes(-len(data) % 512))
    made.write(bytes(1024))
    return made.getvalue()
