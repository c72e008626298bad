"""Compute again what is kept on demand: one forward pass, and exactly the bytes that were left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound, Unreadable
from tdw.families import Family, get_family
from tdw.making.artifacts import compute, environment
from tdw.making.variant_inputs import VariantInputs, differences
from tdw.parameters import override
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Artifact, Provenance, Store, codec
from tdw.store.fingerprints import short
from tdw.store.formats import tensorfile
from tdw.training.environment import resolve_device


def file_with_arrays(store: Store, address: Address, kept: Artifact) -> bytes:
    """The bytes of the file that `kept` stands for.

    Raises:
        NotFound, CorruptFile: the checkpoint, or what is kept is no artifact of an analyzer.
        Unreadable: it was made by other code, of another checkpoint, or where the same code gives other bits.
    """
    path = store.path(address)

    def refuse(why: str) -> Unreadable:
        remedy = f"materialize {address.kind} at epoch {address.epoch} again, or read it where it was made"
        return Unreadable(f"{path}: it is kept on demand and can't be computed here: {why}", remedy)

    made = kept.provenance
    catalog = catalog_of(get_family(address.family))
    if address.kind not in catalog.analyzer_names:
        raise CorruptFile(f"{path}: without arrays, and no analyzer is called {address.kind}", "delete it")
    analyzer = catalog.analyzer(address.kind)
    try:
        analyzer.require_alone()
        variant = _inputs(store, address, made)
        device = resolve_device(made.environment.get("device", "cpu"))
    except BadConfig as error:
        raise refuse(error.what) from error
    differing = differences(
        made, variant.provenance(address.kind, address.epoch, made.checkpoint_fingerprint)
    )
    if differing:
        raise refuse(f"{', '.join(differing)} of it are other ones")
    try:
        arrays, checkpoint = compute(variant, address.kind, address.epoch, device=device)
    except FingerprintMismatch as error:
        raise refuse(error.what) from error
    if checkpoint != made.checkpoint_fingerprint:
        raise refuse(f"it is of checkpoint {short(made.checkpoint_fingerprint)}, here is {short(checkpoint)}")
    packed = codec.pack(arrays, quantize=analyzer.quantize, half=analyzer.half)
    data, digest = tensorfile.encode(packed, made)
    if digest != kept.sha256:
        told = ", ".join(_differing_environment(made)) or "nothing that is recorded differs"
        raise refuse(f"the bits differ ({told})")
    return bytes(data)


@dataclass
class Dropped:
    """What became of arrays that were to be dropped.

    Attributes:
        freed: bytes.
        refused: why -> epochs whose arrays stay.
    """

    freed: int = 0
    refused: dict[str, list[int]] = field(default_factory=dict[str, list[int]])


def drop(store: Store, family: Family, variant: str, analyzer: str, epochs: Iterable[int]) -> Dropped:
    """Keep artifacts on demand from now on, those that are computed here with the same bits.

    Each is tried first: machines that differ in nothing that is recorded may give other bits.

    Raises:
        BadConfig: the analyzer's arrays can't be computed from a checkpoint alone.
        Busy: the variant is being analyzed.
    """
    catalog_of(family).analyzer(analyzer).require_alone()
    done = Dropped()
    with store.lock(family.name, variant, "analyze_cells", wait_s=0.0):
        for epoch in epochs:
            address = Address(family.name, variant, analyzer, epoch)
            try:
                file_with_arrays(store, address, store.read_kept(address))
                done.freed += store.drop_arrays(address)
            except (NotFound, CorruptFile, Unreadable) as error:
                done.refused.setdefault(error.what, []).append(epoch)
    return done


def _inputs(store: Store, address: Address, made: Provenance) -> VariantInputs:
    family = get_family(address.family)
    analyzer = catalog_of(family).analyzer(address.kind)
    parameters = override(analyzer.name, analyzer.parameters, made.parameters)
    return VariantInputs(store, family, family.parse_variant(address.variant), {analyzer.name: parameters})


def _differing_environment(made: Provenance) -> list[str]:
    here = environment(made.environment.get("device", "cpu"))
    names = sorted(here.keys() | made.environment.keys())
    return [
        f"{name} {made.environment.get(name, 'none')} when it was made, {here.get(name, 'none')} here"
        for name in names
        if made.environment.get(name) != here.get(name)
    ]
