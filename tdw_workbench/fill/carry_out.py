"""Carry out what `tdw fill` was asked for: extra epochs first, then all the rest, shown in the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tdw.epochs import format_epochs
from tdw.inventory.plan import STAGES
from tdw.inventory.products import EXTRA_EPOCHS
from tdw.training.progress import format_seconds
from tdw_workbench.fill.announcing import is_agreed
from tdw_workbench.fill.answers import Answer, StageDone
from tdw_workbench.fill.batches import train_batches
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.fill.time_left import TimeLeft
from tdw_workbench.fill.workers import Workers
from tdw_workbench.terminal import Screen, count

if TYPE_CHECKING:
    import dagster as dg

_EVERY_S = 0.5


def carry_out(
    request: FillRequest,
    instance: dg.DagsterInstance,
    screen: Screen,
    *,
    pool: Workers,
    ask: bool,
    batch: int = 1,
) -> int:
    """Give the workers what is to be done and show how far they are; the exit code.

    Args:
        batch: so many variants of one shape are trained as one program first.
        ask: a person at a terminal is asked first, where it is much.
    """
    from tdw.store import Store

    started, store = time.monotonic(), Store(request.store)
    work = RemainingWork.find(request, request.wanted(), instance, store)
    if ask and not is_agreed(request, work, screen):
        screen.say("Nothing was started.")
        return 1
    if batch > 1:
        train_batches(request, work, screen, most=batch)
    failed = list[str]()
    if request.has_two_passes:
        failed = _first_pass(request, instance, screen, pool)
        request = replace(request, variants=tuple(v for v in request.variants if v not in failed))
        work = RemainingWork.find(request, request.wanted(), instance, store)
    if request.variants:
        wanted = request.wanted()
        if work.variants:
            screen.say(f"Filling {_named(work.variants)} of study {wanted.name} into {request.store}.")
            failed += _work(request, work, instance, screen, pool)
            work = replace(work, out_of_date=RemainingWork.find(request, wanted, instance, store).out_of_date)
        elif not failed:
            _say_out_of_date(request, work, screen)
            there = count(work.cells_there, "cell")
            screen.say(f"Nothing is missing: {there} of {_named(request.variants)} are there.")
            return 0
        _say_out_of_date(request, work, screen)
    took = format_seconds(time.monotonic() - started)
    if failed:
        screen.say(
            f"{count(len(failed), 'run')} failed or stopped, {took}. What is finished is kept; try again."
        )
        screen.say(f"Details: {pool.log}, or the runs in Dagster's UI.")
        return 1
    screen.say(f"Done in {took}.")
    return 0


def _first_pass(
    request: FillRequest, instance: dg.DagsterInstance, screen: Screen, pool: Workers
) -> list[str]:
    """Train to the end of the schedule and have the extra epochs chosen; the variants that failed."""
    from tdw.reconcile.attempts import still_training
    from tdw.store import Store
    from tdw.study.extra_epochs import read_choice
    from tdw_assets.cells.as_it_is import as_it_is
    from tdw_resources.wanted import WantedAssets

    training, store = request.training(), Store(request.store)
    whole = WantedAssets.of(request.read_study())
    before = read_choice(store, whole.study)
    work = RemainingWork.find(training, training.wanted(), instance, store)
    failed: list[str] = []
    if work.variants:
        screen.say(
            f"First pass: training {_named(work.variants)} of study {whole.name} into {request.store}."
        )
        failed = _work(training, work, instance, screen, pool)
    inventory, runs = as_it_is(whole, instance, store)
    if inventory.task("choose") is None:
        return failed
    waits = still_training(inventory, runs, given_up=failed)
    if waits:
        screen.say(f"The extra checkpoints are chosen after the training of {', '.join(waits)}.")
        return failed
    choosing = RemainingWork((ALL,), {}, TimeLeft(), 0, 0)
    failed += _work(replace(request, assets=(EXTRA_EPOCHS,)), choosing, instance, screen, pool)
    choice = read_choice(store, whole.study)
    if choice is not None and choice != before:
        epochs = choice.epochs
        chosen = f"{count(len(epochs), 'extra checkpoint')}, {format_epochs(epochs)}" if epochs else "none"
        screen.say(f"Chosen where the test loss of {_named(choice.variants)} falls fastest: {chosen}.")
    return failed


def _work(
    request: FillRequest, work: RemainingWork, instance: dg.DagsterInstance, screen: Screen, pool: Workers
) -> list[str]:
    """Have worker processes do it, what covers all variants last; of what a run failed."""
    from tdw_resources.instance import fail_dead_runs

    failed: list[str] = []
    for variants in ([v for v in work.variants if v != ALL], [v for v in work.variants if v == ALL]):
        answers = pool.run(request, variants, every_s=_EVERY_S, on_death=lambda: fail_dead_runs(instance))
        failed += _watch(answers, work.time_left, Path(request.home), screen)
    return failed


def _watch(answers: Iterable[Answer | None], time_left: TimeLeft, home: Path, screen: Screen) -> list[str]:
    """Show what worker processes say and how far they are; the variant of each run that failed."""
    from tdw_resources.runs.progress import read_progress

    failed, elsewhere = list[str](), set[str]()
    for answer in answers:
        if answer is not None and answer.given_up:
            failed.append(answer.variant)
            screen.say(f"{answer.variant}: {answer.given_up}")
        elif answer is not None and answer.busy:
            if answer.variant not in elsewhere:
                elsewhere.add(answer.variant)
                screen.say(f"{answer.variant}: another `tdw fill` works on it; its turn comes last.")
        elif answer is not None and answer.done is None:
            time_left.finish(answer.variant)
        elif answer is not None and answer.done is not None:
            if not _say_done(answer.done, screen):
                failed.append(answer.variant)
            time_left.finish(answer.variant, answer.done.stage)
        lines: list[str] = []
        for work in read_progress(home):
            time_left.advance(work.variant, work.stage, work.done / max(1, work.total))
            lines.append(f"  {work.stage:9} {work.text}")
        screen.paint([*lines, time_left.line()])
    screen.close()
    return failed


def _say_done(done: StageDone, screen: Screen) -> bool:
    """Print what a run did; whether it succeeded."""
    who = done.variant or "all variants"
    if done.error:
        screen.say(f"{who}: {done.stage} failed: {done.error}")
        return False
    stage = next(stage for stage in STAGES if stage.name == done.stage)
    if stage.name == "choose":
        return True  # the epochs themselves are printed
    counted = (
        count(done.size, "cell") if stage.of_cells else count(done.size, "table or plot", "tables and plots")
    )
    screen.say(f"{who}: {stage.done}, {counted}")
    return True


def _say_out_of_date(request: FillRequest, work: RemainingWork, screen: Screen) -> None:
    if work.out_of_date and not request.out_of_date:
        screen.say(
            f"{count(work.out_of_date, 'cell')} out of date (changed code, parameters or checkpoint): "
            "`tdw fill --out-of-date` computes them again."
        )


def _named(variants: Sequence[str]) -> str:
    named = [variant for variant in variants if variant != ALL]
    if not named:
        return "what covers all variants"
    return named[0] if len(named) == 1 else count(len(named), "variant")
