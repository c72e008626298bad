"""Which of two series moves first: `order_in_time`."""

from __future__ import annotations

import math

import numpy as np

from tdw.markdown import listed, show
from tdw.recipes.reading.evidence import Float64
from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import ALPHA, Found, Test, Verdict
from tdw.statistics.exact import sign_test
from tdw.statistics.power import runs_for_share
from tdw.study.claim_kinds import OrderInTime
from tdw.study.claims import Words

PLACES = ("before", "with", "after", "no rise")
_SIGNS = {"before": -1.0, "with": 0.0, "after": 1.0}
WORDS = Words(
    rule="Rise: between which analyzed epochs the {rises} makes half of its way from epoch 0 to its maximum "
    "(at least {rise}). Drop: from when on the {drops} stays below the geometric mean of its maximum "
    "and {drop_to}. Before: the rise is over at the drop. Supported, contradicted: the exact sign test "
    "gives a corrected p below 0.05 for before, for after; contradicted also when most do not rise.",
    answer="Before in {num_before} variants that reached the outcome ({before}), with it in {num_with} "
    "({with}), after it in {num_after} ({after}); no rise in {num_flat} ({flat}). Sign test: p = "
    "{p}. At the end the {rises} is below that of epoch 0 in {num_lower} of {n}.",
    control="Over all draws of the control the rise is before the drop in a share of {control_before}, with "
    "it in {control_with}, after it in {control_after}, and there is no rise in {control_no}.",
    limits="Order is no cause. Between checkpoints the rise is not seen; *with* means that both fall into "
    "one interval between checkpoints.",
    would_change="Denser checkpoints around the drop, and more variants.",
)


def rise_interval(epochs: Float64, values: Float64, *, least: float) -> tuple[float, float] | None:
    """Between which epochs a series has made half of its rise; None when it rises by less than `least`."""
    if not len(values) or values.max() - values[0] < least:
        return None
    at = int(np.argmax(values >= (values[0] + values.max()) / 2))
    return float(epochs[at - 1]), float(epochs[at])


def drop_epoch(epochs: Float64, values: Float64, *, to: float) -> float:
    """From when on a series stays below the geometric mean of its maximum and `to`; NaN if it never does."""
    if not len(values):
        return math.nan
    above = np.flatnonzero(values >= math.sqrt(float(values.max()) * to))
    after = int(above[-1]) + 1 if len(above) else 0
    return float(epochs[after]) if after < len(epochs) else math.nan


def order_in_time(case: Case, parameters: OrderInTime) -> Found:
    """Whether one series rises before another one drops, over the variants that reached the outcome."""
    rises, drops = case.series(parameters.rises), case.series(parameters.drops)
    reached = case.evidence.reached
    order: dict[str, list[str]] = {place: [] for place in PLACES}
    num_lower = 0
    for row in reached:
        epochs, values = rises.of(row)
        num_lower += bool(len(values)) and bool(values[-1] < values[0])
        rise = rise_interval(epochs, values, least=parameters.rise)
        drop = drop_epoch(*drops.of(row), to=parameters.drop_to)
        if rise is None or not math.isnan(drop):
            order[_place(rise, drop)].append(row.key)
    signed = [sign for place, sign in _SIGNS.items() for _ in order[place]]
    before, after, p = sign_test(signed)
    flat = order["no rise"]

    def decide(corrected: float) -> Verdict:
        if len(flat) > len(signed):
            return "contradicted"
        return "undecided" if not corrected < ALPHA else "supported" if before > after else "contradicted"

    shares, adjective = _control(case, parameters), case.adjective(parameters.control)
    return Found(
        Test(
            p if reached else math.nan,
            decide,
            lambda level: runs_for_share(before / max(before + after, 1), alpha=level),
            "variants with a rise before or after",
        ),
        {
            "before": listed(order["before"]),
            "with": listed(order["with"]),
            "after": listed(order["after"]),
            "flat": listed(flat),
            "num_before": len(order["before"]),
            "num_with": len(order["with"]),
            "num_after": len(order["after"]),
            "num_flat": len(flat),
            "p": p,
            "num_lower": num_lower,
            "n": len(reached),
            **{f"{adjective}_{name}": share for name, share in shares.items()},
        },
        {
            "rises": rises.label,
            "drops": drops.label,
            "rise": f"{parameters.rise:g}",
            "drop_to": f"{parameters.drop_to:g}",
            **{f"control_{name}": show(share) for name, share in shares.items()},
        },
        controlled=bool(shares),
    )


def _place(rise: tuple[float, float] | None, drop: float) -> str:
    """Whether a rise between two analyzed epochs is before, with or after a drop."""
    if rise is None:
        return "no rise"
    return "before" if rise[1] < drop else "after" if rise[0] >= drop else "with"


def _control(case: Case, parameters: OrderInTime) -> dict[str, float]:
    """Shares of all draws by the order of rise and drop; empty without any."""
    if parameters.control is None:
        return {}
    control, drops = case.family.controls[parameters.control.name], case.series(parameters.drops)
    counts: dict[str, int] = dict.fromkeys(PLACES, 0)
    for row in case.evidence.reached:
        drop = drop_epoch(*drops.of(row), to=parameters.drop_to)
        epochs, draws = control.draws(row, parameters.control.series)
        if math.isnan(drop):
            continue
        for values in draws.T:
            counts[_place(rise_interval(epochs, values, least=parameters.rise), drop)] += 1
    total = sum(counts.values())
    return {place.split()[0]: count / total for place, count in counts.items()} if total else {}
