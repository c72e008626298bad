"""Workers that die, hang or are stopped: the pool gives their work to others, or up."""

import os
import signal
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tdw.errors import Busy
from tdw.study import load_study
from tdw_resources.wanted import WantedAssets
from tdw_workbench.fill import worker_process
from tdw_workbench.fill.answers import STOPPED, Answer, StageDone
from tdw_workbench.fill.request import ALL, FillRequest, Shard
from tdw_workbench.fill.workers import Workers


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    mark = tmp_path / "mark"

    def serve(line: Connection) -> int:
        """Speaks as a worker does; what it does depends on the variant's name."""
        while True:
            match line.recv():
                case "dies":
                    sys.exit("a reason")
                case "dies_once" if not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                case "stopped":
                    return STOPPED
                case "busy" if not mark.exists():
                    line.send(Answer("busy", busy=True))
                case str() as variant:
                    if variant == "frees":
                        mark.touch()
                    if variant == "hangs":
                        time.sleep(60)
                    line.send(Answer(variant, done=StageDone(variant, "train", "", os.getpid())))
                    line.send(Answer(variant))
                case request:
                    assert isinstance(request, FillRequest)

    return Workers(2, str(tmp_path), tmp_path / "log", serve)


def run(
    workers: Workers, *variants: str, on_death: Callable[[], object] = lambda: None
) -> Iterator[Answer | None]:
    return workers.run(FillRequest({}, "", "", ("a",)), variants, every_s=0.1, on_death=on_death)


def answers(workers: Workers, *variants: str, on_death: Callable[[], object] = lambda: None) -> list[Answer]:
    with workers:
        return [answer for answer in run(workers, *variants, on_death=on_death) if answer is not None]


def done(found: list[Answer]) -> list[str]:
    return sorted(answer.variant for answer in found if answer.done)


def test_every_variant_is_done_once_by_at_most_two_workers(workers: Workers) -> None:
    found = answers(workers, "a", "b", "c", "d", "e")
    assert done(found) == ["a", "b", "c", "d", "e"]
    assert len({answer.done.size for answer in found if answer.done}) <= 2


def test_workers_are_kept_for_what_comes_next(workers: Workers) -> None:
    with workers:
        workers.start(5)
        pids = {worker.process.pid for worker in workers._workers}
        for variants in (("a", "b"), ("c",), (), ("d", "e", "f")):
            found = [answer for answer in run(workers, *variants) if answer is not None]
            assert done(found) == list(variants)
            assert {answer.done.size for answer in found if answer.done} <= pids
    assert len(pids) == 2


def test_a_variant_whose_worker_died_is_done_by_another(workers: Workers) -> None:
    deaths: list[str] = []
    found = answers(workers, "dies_once", "b", on_death=lambda: deaths.append("one"))
    assert done(found) == ["b", "dies_once"] and deaths == ["one"]


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
        for _ in run(workers, "hangs", "hangs"):
            raise KeyboardInterrupt
    assert not workers._workers and time.monotonic() - started < 30
