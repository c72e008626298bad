"""Made-up artifacts of transformers of any shape, and the tables that the real functions make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tdw.drawing.style import looks
from tdw.families import Family, get_family
from tdw.recipes.analyzer import Analyzer
from tdw.recipes.catalog import catalog_of
from tdw.recipes.reading.reader import Sources, VariantReader
from tdw.recipes.summary import Inputs
from tdw.store import Address, Provenance, Store, TableAddress

EPOCHS = (0, 10, 20, 40)


def provenance(family: Family, key: str, name: str, epoch: int | None = None) -> Provenance:
    fingerprint = family.parse_variant(key).fingerprint
    return Provenance(
        family=family.name,
        variant=key,
        name=name,
        epoch=epoch,
        code_version="1",
        variant_fingerprint=fingerprint,
        probe_fingerprint="0" * 64,
    )


def transformer_arrays(config: Any, analyzer: str, epoch: int) -> dict[str, np.ndarray]:
    """What an analyzer of the kit gives: attention that goes from even to the position before."""
    shape, rng = config.transformer, np.random.default_rng(epoch)
    n, layers, heads = shape.n_ctx, shape.n_layers, shape.n_heads
    even = np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]
    before = np.eye(n, k=-1)
    before[0, 0] = 1
    pattern = ((1 - epoch / 40) * even + epoch / 40 * before).astype(np.float32)
    counted = 1 if shape.loss == "last" else n
    scores = np.linspace(0.1, 0.2, layers * heads).reshape(layers, heads) + epoch / 80
    match analyzer:
        case "attention_patterns":
            return {
                "mean": np.broadcast_to(pattern, (layers, heads, n, n)).copy(),
                "sequences": np.broadcast_to(pattern, (4, layers, heads, n, n)).copy(),
                "tokens": rng.integers(shape.d_vocab, size=(4, n)),
            }
        case "head_scores":
            names = ("previous_token", "duplicate_token", "prefix_matching")
            return {**{name: scores + i / 10 for i, name in enumerate(names)}, "chance": np.full(3, 0.25)}
        case "logit_lens":
            return {"loss": rng.random((layers + 1, counted)) + 1 - epoch / 80}
        case "logit_attribution":
            return {"logit": rng.standard_normal((len(shape.components), counted))}
        case "strategies":
            falls = {"uniform": 0.1, "unigram": 0.2 - epoch / 400, "bigram": 0.3 - epoch / 150}
            return {f"kl_{name}": np.full(n, value) for name, value in falls.items()}
        case "composition":
            # Without queries or values accuracy stays at a half; without keys a little is lost.
            accuracy = np.full((2, 4), 0.5) + epoch / 80 * np.array([[1, 0, 0.8, 0], [1, 0, 0.9, 0]])
            return {"loss": 1 - accuracy / 2, "accuracy": accuracy}
        case "copying":
            circuit = np.broadcast_to(np.eye(config.n_names), (layers, heads, config.n_names, config.n_names))
            return {"score": scores, "circuit": circuit.copy()}
        case "templates":
            return {"loss": np.array([1.0, 2.0]), "accuracy": np.array([1 - epoch / 80, epoch / 40])}
    raise AssertionError(analyzer)


def write(
    store: Store, name: str, key: str, arrays: Any, epochs: Sequence[int] = EPOCHS, *, only: str = ""
) -> Family:
    """All artifacts of a variant, by `arrays(config, analyzer, epoch)`, its history and tables; or one's."""
    family = get_family(name)
    catalog, config = catalog_of(family), family.parse_variant(key)
    found: dict[str, tuple[Any, ...]] = {}
    for analyzer in (each for each in catalog.analyzers if only in ("", each.name)):
        found[analyzer.name] = tuple(arrays(config, analyzer.name, epoch) for epoch in epochs)
        for epoch, content in zip(epochs, found[analyzer.name], strict=True):
            address = Address(name, key, analyzer.name, epoch)
            made = provenance(family, key, analyzer.name, epoch)
            store.write(address, content, provenance=made, **encoding(analyzer))
    if only:
        return family
    history = pd.DataFrame({"epoch": [*epochs], "train_loss": np.linspace(1, 0.1, len(epochs))})
    for place, metric in enumerate(family.metrics):
        history[metric.name] = np.linspace(0.5, 1, len(epochs)) + place
    tables = {"history": history}
    for summary in catalog.summaries:
        inputs = Inputs(config, tuple(epochs), {each: found[each] for each in summary.analyzers}, history)
        tables[summary.name] = summary.function(inputs, summary.parameters())
    for table, content in tables.items():
        address = TableAddress(name, key, table)
        store.write_table(address, content, provenance=provenance(family, key, table))
    return family


def encoding(analyzer: Analyzer) -> dict[str, Any]:
    return {"half": analyzer.half, "quantize": analyzer.quantize}


def sources(store: Store, family: Family, *keys: str, scheduled: Sequence[int] = EPOCHS) -> Sources:
    look = looks(keys)
    return Sources(
        tuple(
            VariantReader(store, family.name, variant=key, label=key, look=look[key], scheduled=scheduled)
            for key in keys
        )
    )
