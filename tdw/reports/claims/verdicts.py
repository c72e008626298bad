"""A judged claim: its verdict, the numbers that the verdict rests on, and sentences made from these numbers.

Every sentence is a template over the numbers, so that text and number can't disagree.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tdw.errors import BadConfig
from tdw.markdown import Value, show
from tdw.statistics.draws import DrawsVerdict
from tdw.statistics.multiple import holm
from tdw.statistics.power import Needed
from tdw.study.claims import Claim, Words

Verdict = Literal["supported", "contradicted", "undecided"]
ALPHA = 0.05
FEW = 5
"""Fewer variants in a group than this are too few to show that something is not so."""


@dataclass(frozen=True)
class Test:
    """A verdict that rests on a p-value, which is corrected for the claims of the study that are tested.

    Attributes:
        p_value: two-sided; NaN where there is too little to test yet, which counts as 1.
        decide: from the corrected p-value, by the kind's rule.
        needed: level -> how many runs would have decided it for the effect that was seen; None for a kind for
            which that was not worked out.
        runs: what these runs are, such as "variants that reached the outcome".
    """

    p_value: float
    decide: Callable[[float], Verdict]
    needed: Callable[[float], Needed] | None = None
    runs: str = "variants"


@dataclass(frozen=True)
class Found:
    """What a kind finds for one claim.

    Attributes:
        verdict: by the kind's rule, or the test that it rests on.
        numbers: name -> value, recorded in this order; NaN and None stand for what is not known.
        terms: further words that sentences may use, such as the label of a measure. Not recorded.
        known: whether there is enough for the sentence `answer`; otherwise `unknown` is printed.
        controlled: whether the control was there and its sentence is printed.
    """

    verdict: Verdict | Test
    numbers: Mapping[str, Value]
    terms: Mapping[str, str] = field(default_factory=dict[str, str])
    known: bool = True
    controlled: bool = False


@dataclass(frozen=True)
class Corrected:
    """A claim's p-value, and the same by Holm's method for the claims of the study that are tested.

    Attributes:
        p_value, corrected: NaN where there was too little to test.
        claims: of the study that are tested, this one included.
        power: how many runs would have decided it, in words; "" where it is decided or not known.
    """

    p_value: float
    corrected: float
    claims: int
    power: str = ""

    @property
    def sentence(self) -> str:
        """Both p-values, for people."""
        if math.isnan(self.p_value):
            return "There is too little for a test yet."
        return (
            f"p = {show(self.p_value)}, and {show(self.corrected)} by Holm's method for the {self.claims} "
            f"claims of this study that are tested; the second decides."
            if self.claims > 1
            else f"p = {show(self.p_value)}; no other claim of this study is tested."
        )


@dataclass(frozen=True)
class JudgedClaim:
    """One claim of a study with its verdict; `control` and `limits` are "" where they say nothing.

    Attributes:
        claim: as the study states it, with id, group, question and figures.
        verdict: by `rule`.
        numbers: name -> value, in the order in which they are recorded.
        rule, answer, control, limits, would_change: sentences with the numbers in them.
        control_title: heads the sentences of the control.
        test: p-values that the verdict rests on; None for a claim that is not tested.
        draws: in how many complete sets of draws the claim holds; None without replicates.
    """

    claim: Claim
    verdict: Verdict
    numbers: Mapping[str, Value]
    rule: str
    answer: str
    control: str
    limits: str
    would_change: str
    control_title: str = ""
    test: Corrected | None = None
    draws: DrawsVerdict | None = None

    @property
    def id(self) -> str:
        """The claim's id."""
        return self.claim.id

    @property
    def title(self) -> str:
        """The question if the claim answers one, otherwise the claim."""
        return self.claim.question or self.claim.claim

    def to_json(self) -> dict[str, Any]:
        """For programs; None for what is not known or infinite."""
        return {
            "id": self.id,
            "claim": self.claim.claim,
            "question": self.claim.question,
            "verdict": self.verdict,
            "test": None
            if self.test is None
            else {
                "p": _finite(self.test.p_value),
                "corrected": _finite(self.test.corrected),
                "claims": self.test.claims,
            },
            **({} if self.draws is None else {"draws": dataclasses.asdict(self.draws)}),
            "numbers": {name: _finite(value) for name, value in self.numbers.items()},
        }


def _finite(value: Value) -> Value:
    """The value as JSON can write it: a numpy number as Python's, None for one that is not finite."""
    plain: Any = np.asarray(value).item()
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def correct(
    found: Sequence[Found], *, with_power: bool = True
) -> tuple[tuple[Verdict, Corrected | None], ...]:
    """The verdict of each claim of a study, its p-value corrected for all claims that are tested (Holm).

    `with_power` says beside an undecided verdict how many runs would decide it, which takes a second or so.
    """
    tests = [one.verdict for one in found if isinstance(one.verdict, Test)]
    holms = iter(holm([1.0 if math.isnan(test.p_value) else test.p_value for test in tests]))
    judged: list[tuple[Verdict, Corrected | None]] = []
    for one in found:
        if not isinstance(one.verdict, Test):
            judged.append((one.verdict, None))
            continue
        test, corrected = one.verdict, next(holms)
        corrected = math.nan if math.isnan(test.p_value) else corrected
        verdict = test.decide(corrected)
        power = _power(test, ALPHA / len(tests)) if verdict == "undecided" and with_power else ""
        judged.append((verdict, Corrected(test.p_value, corrected, len(tests), power)))
    return tuple(judged)


def _power(test: Test, level: float) -> str:
    """How many runs would have decided a claim, in words; "" where nothing was seen."""
    if math.isnan(test.p_value):
        return ""
    if test.needed is None:
        return "How many runs would decide a claim of this kind is not worked out."
    found = test.needed(level)
    most = f"more than {found.most}" if found.runs is None else f"about {found.runs}"
    return (
        f"For an effect as large as was seen ({show(found.effect)}) {most} {test.runs} would decide it with "
        f"{100 * found.wanted:g} % power at level {show(level)}; an effect that was looked for is too large "
        "on average."
    )


def put_into_words(
    claim: Claim,
    found: Found,
    words: Words,
    judged: tuple[Verdict, Corrected | None],
    *,
    terms: Mapping[str, str],
    control_title: str = "",
) -> JudgedClaim:
    """The judged claim from what was found.

    Args:
        claim: whose own words and choice of numbers come first.
        found: by its kind.
        words: of the kind.
        judged: verdict and p-values.
        terms: that every sentence may use.
        control_title: of the control that the claim names, "" for none.

    Raises:
        BadConfig: the claim asks for a number that the kind does not have.
    """
    own = claim.words.model_dump(exclude_none=True)
    said = words.model_copy(update=own)
    known = {**terms, **found.terms, **{name: show(value) for name, value in found.numbers.items()}}

    def render(template: str | None) -> str:
        try:
            return (template or "").format_map(known)
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise _unknown(claim, f"{error.args[0]!r} in {template!r}", known) from error

    chosen = found.numbers if claim.numbers is None else claim.numbers
    missing = [name for name in chosen if name not in found.numbers]
    if missing:
        raise _unknown(claim, ", ".join(missing), found.numbers)
    return JudgedClaim(
        claim=claim,
        verdict=judged[0],
        numbers={name: found.numbers[name] for name in chosen},
        rule=render(said.rule),
        answer=render(said.answer if found.known or said.unknown is None else said.unknown),
        control=render(said.control) if found.controlled else "",
        limits=render(said.limits) if found.known else "",
        would_change=render(said.would_change),
        control_title=control_title,
        test=judged[1],
    )


def _unknown(claim: Claim, what: str, known: Mapping[str, Any]) -> BadConfig:
    return BadConfig(
        f"claim {claim.id}: kind {claim.kind} has no number {what}",
        f"correct the claim's words or numbers; it has {', '.join(known)}",
    )
