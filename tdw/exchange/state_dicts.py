"""R3: checkpoints that were trained elsewhere, in TransformerLens' HookedTransformer format, as a variant.

Files are safetensors, or PyTorch state dicts loaded with `weights_only=True`, so no code runs. Names, shapes
and zero biases are checked against the family, losses are evaluated on the variant's own split, and the
environment of each checkpoint says that it was imported and from which file.
"""

# safetensors ships partial types, torch's loader returns anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound
from tdw.recipes.family import Family, VariantConfig
from tdw.store import Store, Written
from tdw.store.fingerprints import fingerprint_arrays, short

if TYPE_CHECKING:
    import torch

    from tdw.training.records import Records

    Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class ImportedCheckpoint:
    """A checkpoint that was taken over; losses (nats) and test accuracy are on the variant's own split."""

    epoch: int
    written: Written
    fingerprint: str
    train_loss: float
    metrics: Mapping[str, float]


def import_checkpoints(
    store: Store, family: Family, config: VariantConfig, files: Mapping[int, str | Path]
) -> list[ImportedCheckpoint]:
    """Take over checkpoints; all are read and checked before the first is committed.

    The variant's key names seeds, as if it had been trained here: only import a run that the key describes.
    Training it further here compares with what is stored, and refuses what it can't reproduce.

    Args:
        store: where to.
        family: of the variant.
        config: of the variant.
        files: epoch -> file, "*.safetensors" or a state dict saved by torch.

    Raises:
        NotFound, CorruptFile: a file that is not there or can't be read; names it.
        BadConfig: weights that do not fit, with every name and shape, or are not finite.
        FingerprintMismatch: the store has another checkpoint of an epoch.
    """
    from tdw.training.records import Records

    read = {epoch: _read(family, config, epoch, Path(file)) for epoch, file in sorted(files.items())}
    with store.lock(family.name, config.key, "train"):
        records = Records(store, family, config)
        for epoch, weights in read.items():
            _require_no_other(records, epoch, weights, file=files[epoch], variant=config.key)
        objective = family.objective(config, device="cpu")
        done = [
            _commit(records, objective, epoch, weights, file=Path(files[epoch]))
            for epoch, weights in read.items()
        ]
        records.commit_history()
    return done


def _read(family: Family, config: VariantConfig, epoch: int, file: Path) -> Weights:
    if epoch < 0:
        raise BadConfig(f"{file}: epoch {epoch}", "give the number of optimizer steps, 0 or more")
    state = load_state_dict(file)
    try:
        weights = family.weights_from_state_dict(config, state)
    except BadConfig as error:
        raise BadConfig(f"{file}: {error.what}", error.remedy) from error
    wrong = [name for name, tensor in weights.items() if not tensor.isfinite().all()]
    if wrong:
        raise BadConfig(f"{file}: {', '.join(wrong)} hold NaN or infinite values", "training diverged there")
    return weights


def _require_no_other(
    records: Records, epoch: int, weights: Weights, *, file: str | Path, variant: str
) -> None:
    known = records.known_fingerprint(epoch)
    found = fingerprint_arrays({name: tensor.numpy() for name, tensor in weights.items()})
    if known is not None and known != found:
        raise FingerprintMismatch(
            f"{file}: has fingerprint {short(found)}, the store's checkpoint of epoch {epoch} of {variant} "
            f"has "
            f"{short(known)}",
            "import into another store, or under the key of another variant",
        )


def _commit(
    records: Records, objective: Any, epoch: int, weights: Weights, *, file: Path
) -> ImportedCheckpoint:
    import torch

    from tdw.training.environment import one_thread

    with one_thread():
        trained = {name: tensor.clone() for name, tensor in weights.items()}
        train_loss = objective.loss_and_gradients(trained, epoch)
        metrics = objective.metrics(trained)
    environment = {
        "imported": "HookedTransformer",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "torch": torch.__version__,
    }
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    present = records.commit_checkpoint(epoch, arrays, environment=environment)
    records.history.record(epoch, train_loss, metrics)
    named = dict(zip(records.family.metric_names, metrics, strict=True))
    return ImportedCheckpoint(epoch, present.written, present.fingerprint, train_loss, named)


def load_state_dict(file: Path) -> Weights:
    """Tensors by name, on the CPU, without running code from the file.

    Raises:
        NotFound, CorruptFile: names the file.
    """
    import safetensors.torch
    import torch

    if not file.is_file():
        raise NotFound(f"{file}: no such file", "give the path of a safetensors file or a state dict")
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file)
        loaded: Any = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that mean harm make an unpickler fail in any way
        reason = (str(error).splitlines() or [repr(error)])[0][:200]
        raise CorruptFile(
            f"{file}: can't be read as weights ({reason})",
            "save the model's state_dict with safetensors or torch.save",
        ) from error
    tensors: dict[Any, Any] = dict(loaded) if isinstance(loaded, Mapping) else {}
    named = {name: value for name, value in tensors.items() if isinstance(name, str)}
    if not named or len(named) < len(tensors) or not all(map(torch.is_tensor, named.values())):
        raise CorruptFile(
            f"{file}: holds {type(loaded).__name__}, not a state dict", "save `model.state_dict()` alone"
        )
    return named
