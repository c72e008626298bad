"""A study of any size that is all there: files without content, and the events that record them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import dagster as dg

from tdw.inventory.versions import NO_INPUT, DataVersion
from tdw.store import Store, TableAddress, format_epoch
from tdw.store.fingerprints import short
from tdw_resources.events.data_versions import tags
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.events.records import inventory_of
from tdw_resources.wanted import WantedAssets

CONTENT = "c" * 12


def make_cells(wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, home: Path) -> None:
    """Every checkpoint, cell and history: a file name each, and the event that records it."""
    expected = {"checkpoint": lambda variant: DataVersion(wanted.checkpoint_spec(variant), NO_INPUT, CONTENT)}
    for name, spec in wanted.analyzer_specs.items():
        expected[name] = lambda variant, spec=spec: DataVersion(spec, CONTENT, CONTENT)
    for name, version in expected.items():
        first = (wanted.variants[0], wanted.epochs[0])
        template = cell_key(*first)
        _record(instance, wanted.key(name), template, version(first[0]))
        others = ((v, e) for v in wanted.variants for e in wanted.epochs if (v, e) != first)
        _copy_event(
            home, wanted.key(name), template, str(version(first[0])),
            ((cell_key(v, e), str(version(v))) for v, e in others),
        )  # fmt: skip
        kind = "checkpoints" if name == "checkpoint" else name
        for variant in wanted.variants:
            folder = store.root / wanted.family.name / variant / kind
            folder.mkdir(parents=True)
            for epoch in wanted.epochs:
                os.close(os.open(folder / f"{format_epoch(epoch)}.safetensors", os.O_CREAT | os.O_WRONLY))
    spec = {
        variant: DataVersion(wanted.checkpoint_spec(variant), NO_INPUT, CONTENT)
        for variant in wanted.variants
    }
    _record_all(instance, home, wanted.key("history"), spec)
    for variant in wanted.variants:
        _touch(store.path(TableAddress(wanted.family.name, variant, "history")))


def make_derived(wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, home: Path) -> None:
    """Every table and plot, as made from what is recorded."""
    for _ in range(6):
        inventory = inventory_of(wanted, instance, store)
        states = [*inventory.states_of(inventory.gaps()).states, *inventory.study_states().states]
        waiting = [each for each in states if each.state in ("missing", "out_of_date")]
        if not waiting:
            return
        versions: dict[str, dict[str, DataVersion]] = {}
        for each in waiting:
            product, variant = each.product, each.variant or wanted.study.folder
            version = DataVersion(product.spec, each.input, CONTENT)
            if each.variant:
                versions.setdefault(product.name, {})[variant] = version
            else:
                _record(instance, wanted.key(product.name), None, version)
            if product.kind == "summaries":
                for name in (product.short_name, *product.beside):
                    _touch(store.path(TableAddress(wanted.family.name, variant, name)))
            else:
                folder = store.document_folder(wanted.family.name, variant, product.short_name)
                _touch(folder / "manifest.json")
        for name, of_variants in versions.items():
            _record_all(instance, home, wanted.key(name), of_variants)
    raise AssertionError(f"tables and plots are never done: {waiting[:2]}")


def _record_all(
    instance: dg.DagsterInstance, home: Path, key: dg.AssetKey, versions: dict[str, DataVersion]
) -> None:
    """An event for each partition: the first by Dagster, the others copied from it."""
    (first, version), *others = versions.items()
    _record(instance, key, first, version)
    _copy_event(home, key, first, str(version), ((name, str(other)) for name, other in others))


def _record(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str | None, version: DataVersion
) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            key, partition=partition, tags=tags(version, code_version=short(version.spec), inputs=[])
        )
    )


def _copy_event(
    home: Path, key: dg.AssetKey, template: str, version: str, others: Iterable[tuple[str, str]]
) -> None:
    """Insert the event of one partition again for others, with its tags: 100,000 in seconds."""
    with closing(sqlite3.connect(home / "history" / "runs" / "index.db")) as connection:
        connection.row_factory = sqlite3.Row
        event = dict(
            connection.execute(
                "SELECT * FROM event_logs WHERE asset_key = ? AND partition = ? AND "
                "dagster_event_type = 'ASSET_MATERIALIZATION' ORDER BY id DESC",
                (key.to_string(), template),
            ).fetchone()
        )
        labels = [
            dict(row)
            for row in connection.execute("SELECT * FROM asset_event_tags WHERE event_id = ?", (event["id"],))
        ]
        number = connection.execute("SELECT MAX(id) FROM event_logs").fetchone()[0]
        for row in (event, *labels):
            del row["id"]
        insert_event = _insert("event_logs", ["id", *event])
        insert_label = _insert("asset_event_tags", list(labels[0])) if labels else ""
        for partition, other in others:
            number += 1
            body = event["event"].replace(template, partition).replace(version, other)
            connection.execute(insert_event, {**event, "id": number, "partition": partition, "event": body})
            for label in labels:
                value = str(label["value"]).replace(version, other)
                connection.execute(insert_label, {**label, "event_id": number, "value": value})
        connection.commit()


def _insert(table: str, columns: list[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
