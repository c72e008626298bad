"""R3: checkpoints that were trained elsewhere, as a variant.

Files are safetensors, or PyTorch state dicts loaded with `weights_only=True`, so no code runs. Names, shapes,
zero biases and dtypes are checked against the family, losses are evaluated on the variant's own split, and
the environment of each checkpoint says that it was imported, from which file and out of which layout and
dtype.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig, FingerprintMismatch
from tdw.exchange.sources import Source, require_epoch
from tdw.exchange.state_files import (
    common_prefix,
    load_file,
    pick_entry,
    require_state_dict,
    strip_prefixes,
)
from tdw.known_settings import under_known_settings
from tdw.recipes.family import Family, Objective, VariantConfig
from tdw.store import Store, Written
from tdw.store.fingerprints import fingerprint_arrays, short

if TYPE_CHECKING:
    import torch

    from tdw.training.records import Records

    Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class ImportedCheckpoint:
    """A checkpoint that was taken over; losses and metrics are on the variant's own data."""

    epoch: int
    written: Written
    fingerprint: str
    train_loss: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class _Read:
    """A checkpoint that was read and checked: its weights, where they are from, its train loss and the
    family's metrics.
    """

    source: Source
    weights: Weights
    environment: dict[str, str]
    train_loss: float
    metrics: tuple[float, ...]


@under_known_settings
def import_checkpoints(
    store: Store, family: Family, config: VariantConfig, files: Mapping[int, str | Path | Source]
) -> list[ImportedCheckpoint]:
    """Take over checkpoints; all are read, checked and evaluated before the first is committed.

    The variant's key names seeds, as if it had been trained here: only import a run that the key describes.
    Training it further here compares with what is stored, and refuses what it can't reproduce.

    Args:
        store: where to.
        family: of the variant.
        config: of the variant.
        files: epoch -> file, or a `Source` that names an entry of it and prefixes to take off.

    Raises:
        NotFound, CorruptFile, Unreadable: a file that is not there or can't be read; names it.
        BadConfig: weights that do not fit, with every name and shape, are no real numbers, are not finite, or
            have a loss that is not; an epoch that no study can list.
        FingerprintMismatch: the store has another checkpoint of an epoch.
    """
    from tdw.training.records import Records

    sources = {
        require_epoch(epoch): file if isinstance(file, Source) else Source(Path(file))
        for epoch, file in files.items()
    }
    objective = family.objective(config, device="cpu")
    opened: dict[Path, tuple[Any, str]] = {}
    read = {
        epoch: _read(family, config, source, objective, opened, epoch)
        for epoch, source in sorted(sources.items())
    }
    with store.lock(family.name, config.key, "train"):
        records = Records(store, family, config)
        for epoch, found in read.items():
            _require_no_other(records, epoch, found, variant=config.key)
        done = [_commit(records, epoch, found) for epoch, found in read.items()]
        records.commit_history()
    return done


def _read(
    family: Family,
    config: VariantConfig,
    source: Source,
    objective: Objective,
    opened: dict[Path, tuple[Any, str]],
    epoch: int,
) -> _Read:
    """Read and check one checkpoint; `opened` keeps files that hold several."""
    import torch

    file = source.file
    if file not in opened:
        loaded = load_file(file)
        with file.open("rb") as stream:
            opened[file] = loaded, hashlib.file_digest(stream, "sha256").hexdigest()
    loaded, digest = opened[file]
    state = require_state_dict(pick_entry(loaded, source.entry, where=file), where=source)
    state = strip_prefixes(state, source.strip_prefixes, where=source)
    try:
        weights = family.weights_from_state_dict(config, state)
    except BadConfig as error:
        prefix = common_prefix(state)
        remedy = f"take the prefix off: --strip-prefix {prefix}" if prefix else error.remedy
        raise BadConfig(f"{source}: {error.what}", remedy) from error
    wrong = [name for name, tensor in weights.items() if not tensor.isfinite().all()]
    if wrong:
        raise BadConfig(
            f"{source}: {', '.join(wrong)} hold NaN or infinite values", "training diverged there"
        )
    train_loss, metrics = _evaluate(objective, weights, epoch)
    if not all(map(math.isfinite, (train_loss, *metrics))):
        named = dict(zip(family.metric_names, metrics, strict=True))
        raise BadConfig(
            f"{source}: the weights are finite, but their loss is {train_loss} and their metrics {named}",
            "training diverged there, or the weights are of another scale: nothing could be made of them",
        )
    weighty = [tensor for tensor in state.values() if _is_weight(tensor)]
    dtypes = {str(tensor.dtype).removeprefix("torch.") for tensor in weighty} - {"float32"}
    environment = {
        "imported": family.state_dict_layout(config, state),
        "file": file.name,
        "sha256": digest,
        "torch": torch.__version__,
        **({"entry": source.entry} if source.entry else {}),
        **({"stripped": " ".join(source.strip_prefixes)} if source.strip_prefixes else {}),
        **({"converted": f"{', '.join(sorted(dtypes))} to float32"} if dtypes else {}),
    }
    return _Read(source, weights, environment, train_loss, metrics)


def _is_weight(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dim() > 0  # the buffer IGNORE is a single number


def _evaluate(objective: Objective, weights: Weights, epoch: int) -> tuple[float, tuple[float, ...]]:
    """Train loss and metrics of a copy of the weights."""
    from tdw.compute import one_thread

    with one_thread():
        trained = {name: tensor.clone() for name, tensor in weights.items()}
        return objective.loss_and_gradients(trained, epoch), objective.metrics(trained)


def _arrays(weights: Weights) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in weights.items()}


def _require_no_other(records: Records, epoch: int, read: _Read, *, variant: str) -> None:
    known = records.known_fingerprint(epoch)
    found = fingerprint_arrays(_arrays(read.weights))
    if known is not None and known != found:
        raise FingerprintMismatch(
            f"{read.source}: has fingerprint {short(found)}, the store's checkpoint of epoch {epoch} of "
            f"{variant} has {short(known)}",
            "import into another store, or under the key of another variant",
        )


def _commit(records: Records, epoch: int, read: _Read) -> ImportedCheckpoint:
    present = records.commit_checkpoint(epoch, _arrays(read.weights), environment=read.environment)
    records.history.record(epoch, read.train_loss, read.metrics)
    named = dict(zip(records.family.metric_names, read.metrics, strict=True))
    return ImportedCheckpoint(epoch, present.written, present.fingerprint, read.train_loss, named)
