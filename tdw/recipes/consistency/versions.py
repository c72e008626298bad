"""Spec versions: by what an artifact was computed, read from its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdw.store.fingerprints import fingerprint_json, short
from tdw.store.provenance import Provenance


def spec_hash(name: str, code_version: str, parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """A short hash of code version, parameters and the spec versions of the inputs."""
    return short(
        fingerprint_json(
            {
                "name": name,
                "code_version": code_version,
                "parameters": dict(parameters),
                "inputs": dict(inputs),
            }
        )
    )


def recorded_spec_version(provenance: Provenance) -> str:
    """The spec version that an artifact was computed by, from its provenance."""
    return spec_hash(provenance.name, provenance.code_version, provenance.parameters, provenance.inputs)


def artifact_version(provenance: Provenance) -> str:
    """What makes two artifacts of a cell the same: 64 hex digits over spec, variant, probe and checkpoint."""
    return fingerprint_json(
        {
            "spec": recorded_spec_version(provenance),
            "variant": provenance.variant_fingerprint,
            "probe": provenance.probe_fingerprint,
            "checkpoint": provenance.checkpoint_fingerprint,
        }
    )
