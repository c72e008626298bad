"""Re-read the tables, plots and records of a store; the artifacts are read by `tdw.integrity.verify`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tdw.errors import NotFound, TdwError, Unreadable
from tdw.families import Family
from tdw.integrity.file_problems import (
    Checked,
    FileProblem,
    as_checked,
    entries,
    is_dir,
    is_file,
    stranger,
    unless_ours,
    unreadable,
    why_not_read,
)
from tdw.integrity.names import plot_names, table_names
from tdw.store import Provenance, Store, TableAddress, document_files, reading
from tdw.store.formats import jsonfile, tablefile
from tdw.store.layout import COMPARISON, DASHBOARDS, STUDIES, compared_study, is_name


def check_tables_and_plots(store: Store, family: Family, variant: str) -> Iterator[Checked]:
    """Of a variant, or in a folder of what covers several."""
    folder: Path = store.root / family.name / variant
    of = _owner(variant)
    tables, plots = table_names(), plot_names()
    try:
        stored, drawn = entries(folder / "summaries"), entries(folder / "plots")
    except Unreadable as error:
        yield unreadable(folder, error, **of)
        return
    for path in stored:
        if path.suffix == ".parquet" and is_name(path.stem) and is_file(path):
            checked = check_table(TableAddress(family.name, variant, path.stem), path)
            yield unless_ours(checked, ours=path.stem in tables)
        else:
            yield stranger(path, "not named like a table", **of)
    for path in drawn:
        if is_dir(path) and is_name(path.name):
            for checked in check_plot(store, family, variant, path):
                yield unless_ours(checked, ours=path.name in plots)
        else:
            yield stranger(path, "not a plot's folder", **of)


def _owner(variant: str) -> dict[str, Any]:
    """Of which variant, or of which study's comparison, something in this folder is."""
    study = compared_study(variant)
    return {"variant": variant} if study is None else {"variant": "", "study": study}


def check_table(address: TableAddress, path: Path) -> Checked:
    """Re-read one table."""
    of: dict[str, Any] = _owner(address.variant or COMPARISON) | {"kind": f"summaries/{path.stem}"}
    try:
        _, provenance, digest = tablefile.decode(reading.read_bytes(path), path=path)
    except (TdwError, OSError, MemoryError) as error:
        return as_checked(path, FileProblem(str(path), *why_not_read(error), **of))
    wrong = _misplaced_table(provenance, address)
    finding = FileProblem(str(path), "mismatch", wrong, **of) if wrong else None
    return as_checked(path, finding, content=digest, **of)


def check_records(store: Store, family: Family) -> Iterator[Checked]:
    """What was settled for the studies of a family."""
    folder: Path = store.root / family.name / STUDIES
    try:
        paths = entries(folder)
    except Unreadable as error:
        yield unreadable(folder, error)
        return
    for path in paths:
        if path.suffix != ".json" or not is_name(path.stem) or not is_file(path):
            yield stranger(path, "not named like a record")
            continue
        of: dict[str, Any] = {"variant": "", "kind": f"studies/{path.stem}"}
        try:
            _, provenance, digest = jsonfile.decode(reading.read_bytes(path), path=path)
        except (TdwError, OSError, MemoryError) as error:
            yield as_checked(path, FileProblem(str(path), *why_not_read(error), **of))
            continue
        found = (provenance.family, provenance.parameters.get("study"))
        wrong = f"it is of study {found[1]} of {found[0]}" if found != (family.name, path.stem) else ""
        finding = FileProblem(str(path), "mismatch", wrong, **of) if wrong else None
        yield as_checked(path, finding, content=digest, **of)


def check_dashboards(store: Store) -> Iterator[Checked]:
    """Every version of the dashboards that people have saved."""
    for folder in entries(store.root / DASHBOARDS):
        for path in entries(folder) if is_dir(folder) else (folder,):
            if path.name == "locks" and is_dir(path):
                continue
            if not is_file(path) or not re.fullmatch(r"[0-9]{5}\.json", path.name):
                yield stranger(path, "not named like a version of a dashboard")
                continue
            of: dict[str, Any] = {"variant": "", "kind": DASHBOARDS}
            finding, digest = None, ""
            try:
                _, _, digest = jsonfile.decode(reading.read_bytes(path), path=path)
            except (TdwError, OSError, MemoryError) as error:
                finding = FileProblem(str(path), *why_not_read(error), **of)
            yield as_checked(path, finding, content=digest, **of)


def check_plot(store: Store, family: Family, variant: str, folder: Path) -> Iterator[Checked]:
    """Re-read one plot or report: the manifest, the files it names, then what no manifest names."""
    of: dict[str, Any] = _owner(variant) | {"kind": f"plots/{folder.name}"}
    plot = None
    try:
        plot = store.read_document(family.name, variant, folder.name)
        yield as_checked(folder / document_files.MANIFEST, None, content=plot.folder.name, **of)
    except NotFound:
        pass  # what lies there is an orphan
    except (TdwError, OSError, MemoryError) as error:
        yield as_checked(
            folder / document_files.MANIFEST, FileProblem(str(folder), *why_not_read(error), **of)
        )
        return
    if plot is not None:
        for name in plot.files:
            finding = None
            try:
                plot.read(name)
            except (TdwError, OSError, MemoryError) as error:
                finding = FileProblem(str(folder), *why_not_read(error), **of)
            yield as_checked(plot.folder / name, finding, **of)
    named = plot.folder.name if plot is not None else ""
    try:
        beside = entries(plot.folder) if plot is not None else []
        listed = entries(folder)
    except Unreadable as error:
        yield unreadable(folder, error, **of)
        return
    for path in beside:
        if plot is not None and path.name not in plot.files:
            yield stranger(path, "not a file of this plot", **of)
    for path in listed:
        if path.name in (document_files.MANIFEST, named):
            continue
        if is_dir(path) and document_files.CONTENT.fullmatch(path.name):
            yield as_checked(path, FileProblem(str(path), "orphan", "files that no manifest names", **of))
        else:
            yield stranger(path, "not a file of a plot", **of)


def _misplaced_table(provenance: Provenance, address: TableAddress) -> str:
    variant = _owner(address.variant or COMPARISON)["variant"]
    expected = {"family": address.family, "variant": variant, "name": address.name}
    wrong = [
        f"{k} is {getattr(provenance, k)}, not {v}"
        for k, v in expected.items()
        if getattr(provenance, k) != v
    ]
    return "; ".join(wrong)
