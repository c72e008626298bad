"""What a study is: frozen models of everything that a person may write into its file."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig
from tdw.families import Family, get_family, load_family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import VariantConfig, replicate_of
from tdw.store.fingerprints import fingerprint_json
from tdw.store.layout import comparison_folder
from tdw.study.claims import Claim


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Training(_Model):
    """How training runs; none of this changes the weights of an epoch."""

    test_every: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    state_every: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Adaptive(_Model):
    """Checkpoints added after a first pass where test loss falls fastest, the same for all variants (T5)."""

    extra_checkpoints: Annotated[int, Field(ge=1, le=10_000)]


class Study(_Model):
    """A study as it is carried out.

    Attributes:
        name: of the study; its variants are the Dagster partitions `<name>_variants`.
        family: name of the family.
        family_folder: absolute path of the folder that it is loaded from; "" for a registered one.
        variants: each a mapping of domain parameters, or a variant key.
        replicates: how many runs each of them has: replicates 0, 1, ... (T11).
        epochs: the last epoch.
        checkpoints: epochs and ranges `start:stop:step`, both ends included.
        analyzers: names to run, with the parameters that differ from the defaults.
        summaries: parameters of summaries that differ from the defaults.
        early_epoch: the epoch at which "early" quantities are read (S5); one of the checkpoints.
        claims: what the study report judges; none, no verdicts.
        keep: analyzer -> at which scheduled epochs its arrays stay in the store: every n-th, or at none.
            Elsewhere they are computed when asked for. All stay of analyzers that are not named.
    """

    name: str
    family: str = "modulo_addition_1layer"
    family_folder: str = ""
    variants: tuple[dict[str, int | float | str] | str, ...]
    replicates: Annotated[int, Field(ge=1, le=100)] = 1
    epochs: Annotated[int, Field(ge=0, le=10_000_000)]
    checkpoints: tuple[int | str, ...]
    analyzers: dict[str, dict[str, Any]]
    training: Training = Training()
    summaries: dict[str, dict[str, Any]] = {}
    early_epoch: Annotated[int, Field(ge=0)] = 1000
    adaptive: Adaptive | None = None
    claims: tuple[Claim, ...] = ()
    keep: dict[str, Annotated[int, Field(ge=1, le=1_000_000)] | Literal["all", "on_demand"]] = {}

    @property
    def slug(self) -> str:
        """The name as Dagster takes one (letters, digits and _): keys, jobs and groups begin with it."""
        return re.sub(r"[^A-Za-z0-9_]", "_", self.name)

    @property
    def folder(self) -> str:
        """The folder of its comparisons and reports in the store, in place of a variant's."""
        return comparison_folder(self.slug)

    @cached_property
    def family_declaration(self) -> Family:
        """The family, loaded from its folder if it has one."""
        return load_family(Path(self.family_folder)) if self.family_folder else get_family(self.family)

    @cached_property
    def configs(self) -> tuple[VariantConfig, ...]:
        """The variants' configurations, in the file's order, the replicates of each after one another."""
        family = self.family_declaration
        bases = (make_config(family, variant) for variant in self.variants)
        return tuple(replicate(family, base, r) for base in bases for r in range(self.replicates))

    @property
    def variant_keys(self) -> tuple[str, ...]:
        """The variants' keys, in the file's order."""
        return tuple(config.key for config in self.configs)

    @cached_property
    def epoch_list(self) -> tuple[int, ...]:
        """The scheduled epochs, ascending."""
        return parse_epochs(self.checkpoints)

    @cached_property
    def analyzer_parameters(self) -> dict[str, Any]:
        """Analyzer name -> its parameters dataclass, for every analyzer of the study."""
        return catalog_of(self.family_declaration).resolve_parameters(self.analyzers)

    def summary_options(self, name: str) -> Any:
        """A summary's parameters dataclass, as the study sets them."""
        return catalog_of(self.family_declaration).resolve_options(name, self.summaries.get(name))

    def on_demand(self, analyzer: str, epochs: Collection[int]) -> frozenset[int]:
        """Those of some epochs at which an analyzer's arrays are not kept, but computed when asked for.

        Of every n-th epoch of the schedule they are, from the first one on, and of the last one.
        """
        every = self.keep.get(analyzer, "all")
        if every == "all":
            return frozenset()
        kept = () if every == "on_demand" else (*self.epoch_list[::every], *self.epoch_list[-1:])
        return frozenset(epochs) - frozenset(kept)

    def record(self) -> dict[str, Any]:
        """Everything in the study, JSON-able, as results record it: without where its files are."""
        record = self.model_dump(mode="json", exclude={"claims": {"__all__": {"file"}}})
        # As in the records of studies that were made before there were any.
        if self.replicates == 1:
            del record["replicates"]
        if not self.keep:
            del record["keep"]
        return record

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything in the study."""
        return fingerprint_json(self.record())


def make_config(family: Family, variant: dict[str, int | float | str] | str) -> VariantConfig:
    """The configuration of one entry of `variants`: a key, or a mapping of domain parameters.

    Raises:
        BadConfig: names the fields that are unknown or missing, or the value that can't be used.
    """
    if isinstance(variant, str):
        return family.parse_variant(variant)
    known = [field.name for field in family.fields]
    wrong = [name for name in variant if name not in known]
    missing = [field.name for field in family.fields if field.default is None and field.name not in variant]
    if wrong or missing:
        what = [f"unknown {', '.join(wrong)}"] if wrong else []
        what += [f"missing {', '.join(missing)}"] if missing else []
        raise BadConfig(
            f"{variant}: {' and '.join(what)}", f"a variant of {family.name} has {', '.join(known)}"
        )
    return family.make_config(**variant)


def replicate(family: Family, config: VariantConfig, number: int) -> VariantConfig:
    """A replicate of a variant.

    Raises:
        BadConfig: the family has none, or the variant is one itself.
    """
    if not number:
        return config
    if not any(field.name == "replicate" for field in family.fields):
        raise BadConfig(f"{family.name} has no field replicate", "leave `replicates` out")
    if replicate_of(config):
        raise BadConfig(
            f"{config.key} is a replicate already", "list the plain variant, or leave `replicates` out"
        )
    given = {field.name: getattr(config, field.name) for field in family.fields}
    return family.make_config(**{**given, "replicate": number})
