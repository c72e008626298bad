"""Which weights become which epoch: a file, an entry in it, prefixes to take off; and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig

LAST_EPOCH = 10_000_000  # no study lists a later one, and the history has a row for each
ANY = "*"


@dataclass(frozen=True)
class Source:
    """Where the weights of one epoch are.

    Attributes:
        file: safetensors, or what torch.save wrote.
        entry: path of the state dict in what the file holds, parts joined by dots ("state_dicts.12"); "" when
            the file holds a state dict.
        strip_prefixes: taken off the names of the tensors, such as "_orig_mod." (torch.compile) and "module."
            (DataParallel).
    """

    file: Path
    entry: str = ""
    strip_prefixes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}, {self.entry}" if self.entry else str(self.file)


def require_epoch(epoch: object) -> int:
    """An epoch that a study can list.

    Raises:
        BadConfig: anything but a whole number from 0 to `LAST_EPOCH`.
    """
    if isinstance(epoch, bool) or not isinstance(epoch, int) or not 0 <= epoch <= LAST_EPOCH:
        raise BadConfig(
            f"{str(epoch)[:40]!r} is no epoch", f"give the number of optimizer steps, 0 to {LAST_EPOCH:,}"
        )
    return epoch


def parse_sources(
    checkpoints: Sequence[str], *, entries: Sequence[str] = (), strip_prefixes: Sequence[str] = ()
) -> dict[int, Source]:
    """Read the arguments of `tdw import`.

    Args:
        checkpoints: "5000=weights.safetensors", or several epochs of one file, "0:25000:100=run.pth".
        entries: none, or one per item of `checkpoints`, in the same order. For several epochs it holds one
            "*", which stands for 0, 1, 2, ... in the order of the epochs.
        strip_prefixes: of the names in all files.

    Raises:
        BadConfig: names the item and what is wrong with it; an epoch that is given twice too.
    """
    if entries and len(entries) != len(checkpoints):
        raise BadConfig(
            f"{len(entries)} --entry for {len(checkpoints)} --checkpoint",
            "give one --entry after each --checkpoint, or none",
        )
    found: dict[int, Source] = {}
    for i, item in enumerate(checkpoints):
        text, sign, path = item.partition("=")
        if not sign or not path:
            raise BadConfig(f"--checkpoint {item!r} is not EPOCH=FILE", "write 5000=weights.safetensors, say")
        if "://" in path:
            raise BadConfig(
                f"--checkpoint {item!r} names an address", "download the file, then give its path"
            )
        try:
            epochs = parse_epochs(text)
        except BadConfig as error:
            raise BadConfig(f"--checkpoint {item!r} is not EPOCH=FILE: {error.what}", error.remedy) from error
        entry = entries[i] if entries else ""
        if (len(epochs) > 1) != (entry.count(ANY) == 1) or entry.count(ANY) > 1:
            raise BadConfig(
                f"--checkpoint {item!r} names {len(epochs)} epochs, its entry is {entry!r}",
                "for several epochs write an --entry with one * (state_dicts.*), for one epoch none",
            )
        for at, epoch in enumerate(epochs):
            require_epoch(epoch)
            if epoch in found:
                raise BadConfig(
                    f"epoch {epoch} is given twice: {found[epoch].file} and {path}", "give one file per epoch"
                )
            found[epoch] = Source(Path(path), entry.replace(ANY, str(at)), tuple(strip_prefixes))
    return found
