"""Workers that die, hang or are stopped: the pool gives their work to others, or up."""

import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from tdw.errors import Busy
from tdw.study import load_study
from tdw_resources.wanted import WantedAssets
from tdw_workbench.fill import worker_process
from tdw_workbench.fill.request import ALL, FillRequest, Shard
from tdw_workbench.fill.workers import Answer, Workers

# Speaks as a worker does; what it does depends on the variant's name.
WORKER = """
import json, os, sys, time
sys.stdin.readline()
for line in sys.stdin:
    variant = line.strip()
    if variant == "dies" or (variant == "dies_once" and not os.path.exists(sys.argv[1])):
        open(sys.argv[1], "w").close()
        sys.exit("a reason")
    if variant == "stopped":
        sys.exit(130)
    if variant == "busy" and not os.path.exists(sys.argv[1]):
        print(json.dumps({"busy": variant}), flush=True)
        continue
    if variant == "frees":
        open(sys.argv[1], "w").close()
    if variant == "hangs":
        time.sleep(60)
    print(json.dumps({"done": {"variant": variant, "stage": "train", "error": "", "size": os.getpid()}}))
    print(json.dumps({"idle": variant}), flush=True)
"""


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    request = FillRequest({}, str(tmp_path), str(tmp_path), ("a",))
    command = (sys.executable, "-c", WORKER, str(tmp_path / "died"))
    deaths: list[int] = []
    return Workers(request, 2, tmp_path / "log", on_death=lambda: deaths.append(1), command=command)


def answers(workers: Workers, *variants: str) -> list[Answer]:
    with workers:
        return [answer for answer in workers.run(variants, every_s=0.1) if answer is not None]


def done(found: list[Answer]) -> list[str]:
    return sorted(answer.variant for answer in found if answer.done)


def test_every_variant_is_done_once_by_at_most_two_workers(workers: Workers) -> None:
    found = answers(workers, "a", "b", "c", "d", "e")
    assert done(found) == ["a", "b", "c", "d", "e"]
    assert len({answer.done["size"] for answer in found if answer.done}) <= 2


def test_a_variant_whose_worker_died_is_done_by_another(workers: Workers) -> None:
    found = answers(workers, "dies_once", "b")
    assert done(found) == ["b", "dies_once"]


def test_a_variant_that_another_fill_works_on_comes_last(workers: Workers) -> None:
    workers.count = 1
    found = answers(workers, "busy", "b", "c", "frees")
    assert [answer.variant for answer in found if answer.busy] == ["busy"]
    assert done(found) == ["b", "busy", "c", "frees"]
    assert [answer.variant for answer in found if answer.done][-1] == "busy"


def test_a_variant_is_claimed_by_one_fill_and_free_when_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "_PATIENCE_S", 0.1)
    wanted = WantedAssets.of(load_study("studies/eight_models"))
    request, (one, other) = (
        FillRequest({}, str(tmp_path), str(tmp_path), wanted.variants),
        wanted.variants[:2],
    )
    with worker_process.claim(request, one, wanted=wanted):
        with (
            worker_process.claim(request, other, wanted=wanted),
            worker_process.claim(request, ALL, wanted=wanted),
        ):
            pass
        with pytest.raises(Busy), worker_process.claim(request, one, wanted=wanted):
            pass
    with worker_process.claim(request, one, wanted=wanted):
        pass


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/4/2", "-1/4", "\u0663/4", ""])
def test_a_share_that_can_not_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="K from 1 to N"):
        Shard.parse(text)


@pytest.mark.parametrize("tasks", [1, 2, 3, 7, 12])
def test_the_shares_of_an_array_are_all_variants_once(tasks: int) -> None:
    variants = tuple(f"v{number}" for number in range(10))
    shares = [Shard.parse(f"{number}/{tasks}").of(variants) for number in range(1, tasks + 1)]
    assert sorted(variant for share in shares for variant in share) == sorted(variants)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_variant_that_kills_its_workers_is_given_up_with_the_reason_and_the_rest_done(
    workers: Workers,
) -> None:
    found = answers(workers, "dies", "b", "c", "d")
    assert done(found) == ["b", "c", "d"]
    (given_up,) = [answer for answer in found if answer.given_up]
    assert given_up.variant == "dies" and "2 times (exit code 1): a reason" in given_up.given_up


def test_what_a_person_stopped_is_left_and_the_rest_is_done(workers: Workers) -> None:
    found = answers(workers, "stopped", "b", "c", "d")
    assert done(found) == ["b", "c", "d"]
    (left,) = [answer for answer in found if answer.given_up]
    assert left.variant == "stopped" and "stopped by a person" in left.given_up


def test_leaving_on_an_error_stops_workers_that_are_at_work(workers: Workers) -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), workers:
        for _ in workers.run(["hangs", "hangs"], every_s=0.5):
            raise KeyboardInterrupt
    assert not workers._running and time.monotonic() - started < 30
