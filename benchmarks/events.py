"""How fast the event log takes events: our storages, which write in batches, against Dagster's own.

Both sides report the same materializations and announcements in batches of a hundred cells, as an op does, in
turn; what counts is the ratio. Wall time: the database works in another process.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import common
import dagster as dg
import yaml

from tdw_resources.events.stream import BATCH_CELLS, report_materializations, report_planned
from tdw_resources.instance import open_instance

PROJECT = Path(__file__).parents[1]
sys.path.append(str(PROJECT / "scripts"))

from cluster_services import postgres, postgres_programs  # noqa: E402

STOCK = {"module": "dagster_postgres.event_log", "class": "PostgresEventLogStorage"}
KEY = dg.AssetKey(["study", "coarseness"])


def main() -> None:
    parser = common.parser(__doc__)
    parser.set_defaults(rounds=3)
    parser.add_argument("--events", type=int, default=200, help="of each kind, round and storage")
    options = parser.parse_args()
    rows: list[common.Row] = []
    left_out = ""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, contextlib.ExitStack() as stack:
        root = Path(folder)
        root.chmod(0o755)  # Postgres' server is another user's
        kinds = ["sqlite"]
        programs = postgres_programs()
        if programs is not None:
            os.environ["TDW_POSTGRES_URL"] = stack.enter_context(postgres(root, programs))
            kinds.append("postgres")
        else:
            left_out = " Postgres is left out: there is none here (Debian's package postgresql)."
        for kind in kinds:
            rows += measure(root, kind, options.events, options.rounds)
    notes = (
        f"Per second of wall time, medians of {options.rounds} rounds in turn, {options.events} events "
        f"of each kind in batches of {BATCH_CELLS} cells.{left_out}"
    )
    environment = common.machine(["dagster", "dagster-postgres", "sqlalchemy", "psycopg2-binary"])
    common.report("Events", rows, environment=environment, json_path=options.json, notes=notes)


def measure(root: Path, kind: str, count: int, rounds: int) -> list[common.Row]:
    """A row for each kind of event on one kind of database."""
    taken: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds):
        for side in ("ours", "stock") if turn % 2 == 0 else ("stock", "ours"):
            with storage(root / f"{kind}_{side}", kind, side) as instance:
                for what, seconds in report(instance, count).items():
                    taken.setdefault((what, side), []).append(count / seconds)
    speeds = {key: statistics.median(values) for key, values in taken.items()}
    return [
        {
            "events": f"{what}, {kind}",
            "ours, per s": speeds[what, "ours"],
            "Dagster's own, per s": speeds[what, "stock"],
            "ratio": speeds[what, "ours"] / speeds[what, "stock"],
        }
        for what in ("materialized", "announced")
    ]


@contextlib.contextmanager
def storage(home: Path, kind: str, side: str) -> Iterator[dg.DagsterInstance]:
    """An instance with our event log or Dagster's own, of which each event is a transaction."""
    os.environ.pop("DAGSTER_EVENT_BATCH_SIZE", None)  # our storages set it
    if side == "stock":
        os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "0"
    if not home.exists():
        home.mkdir()
        folder = PROJECT / "dagster_home" / ("postgres" if kind == "postgres" else "")
        settings = yaml.safe_load((folder / "dagster.yaml").read_text())
        if side == "stock" and kind == "sqlite":
            del settings["event_log_storage"]
        elif side == "stock":
            settings["event_log_storage"] |= STOCK
        (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    with open_instance(home) as instance:
        yield instance


def report(instance: dg.DagsterInstance, count: int) -> dict[str, float]:
    """Seconds that so many events of each kind take."""
    seconds: dict[str, float] = {}

    @dg.asset(output_required=False)
    def work(context: dg.AssetExecutionContext):
        at = [f"{epoch:05d}|p113_s1_d598" for epoch in range(count)]
        batches = [at[first : first + BATCH_CELLS] for first in range(0, count, BATCH_CELLS)]
        shown = {"epoch": 1, "train_loss": 0.1, "path": dg.MetadataValue.path("/x/y/z")}
        tags = {"dagster/data_version": "aaaaaaaaaaaa:bbbbbbbbbbbb:cccccccccccc", "dagster/code_version": "1"}
        start = time.perf_counter()
        for batch in batches:
            cells = [dg.AssetMaterialization(KEY, partition=key, metadata=shown, tags=tags) for key in batch]
            report_materializations(context, cells)
        seconds["materialized"] = time.perf_counter() - start
        start = time.perf_counter()
        for batch in batches:
            report_planned(context, [(KEY, key) for key in batch])
        seconds["announced"] = time.perf_counter() - start
        yield from ()

    assert dg.materialize([work], instance=instance).success
    return seconds


if __name__ == "__main__":
    main()
