"""The kinds of claim and what a person may write for each; `tdw.reports.claims` has their rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tdw.study.claim_terms import (
    ChoicesName,
    Control,
    FieldName,
    Group,
    Limit,
    MembersName,
    Model,
    NamelessNumber,
    NamelessSeries,
    NumberName,
    SeriesName,
    Which,
)


class OutcomesAre(Model):
    """Every variant reaches the outcome but those that are excepted.

    `nearest` describes how near the others came: the lowest value of a series, and another series beside it.
    """

    excepted: tuple[Which, ...] = ()
    nearest: tuple[SeriesName, SeriesName] | None = None


class GroupIsEarlier(Model):
    """Of two variants that differ in `field` alone, that with `first` is earlier than that with `second`.

    Such pairs are called by their value of `named_by`.
    """

    field: FieldName
    first: int | float | str
    second: int | float | str
    named_by: FieldName


class IsExtreme(Model):
    """One variant is the earliest or latest of all, or of those in `among`. `by` lists outcomes."""

    which: Which
    end: Literal["earliest", "latest"]
    among: Which | None = None
    by: FieldName | None = None


class IsExtremeInEveryGroup(Model):
    """The variant with `which` is the earliest or latest of every group that shares a value of `groups`."""

    which: Which
    end: Literal["earliest", "latest"]
    groups: FieldName


class SettlesEarly(Model):
    """A choice made early stays: `overlap` (0 to 1) is at least `mean_at_least` on average and never below
    `none_below`. `chance` is the overlap of a random choice, `settled` the epoch from which it stays.
    `chosen` counts what is chosen early by the rule that finds it at the end: half of the variants
    must have some.
    """

    overlap: NumberName
    mean_at_least: float
    none_below: float
    chance: NumberName
    settled: NumberName
    chosen: NumberName | None = None


class SettlesBeforeOutcome(Model):
    """What is chosen stays from an epoch on (`settled`) that is before the outcome."""

    settled: NumberName


class SeldomWithout(Model):
    """Of the variants that reached the outcome, few (less than `share`) had a `measure` below `limit`."""

    measure: NumberName
    limit: Limit
    share: float = Field(gt=0, lt=1)
    control: Control | None = None


class NeverWithout(Model):
    """No variant reached the outcome while `measure` was below `limit`, nor under any draw of the control."""

    measure: NumberName
    limit: Limit
    control: Control | None = None


class StaysBelow(Model):
    """`measure` of one variant stays below `limit` and all others, and so under every draw of the control.

    `final` is the same measure at the last epoch.
    """

    which: Which
    measure: NumberName
    final: NumberName
    limit: Limit
    control: Control | None = None


class Predicts(Model):
    """A higher `measure` goes with an earlier outcome (`sign: negative`) or a later one.

    `also` has further measures, name -> measure, `step` is the difference of the measure for which the slope
    is given, and `within` counts pairs of variants that share a field. `given` has a measure, such as test
    loss: the partial correlation given it is reported. Variants that share a field of `clusters` stay
    together in the permutation.
    """

    measure: NamelessNumber
    sign: Literal["negative", "positive"]
    step: float = 1.0
    also: dict[str, NumberName] = Field(default_factory=dict[str, str])
    within: FieldName | None = None
    given: NumberName | None = None
    clusters: tuple[FieldName, ...] = ()
    control: Control | None = None


class ThresholdParts(Model):
    """One of some measures parts two groups by a threshold, corrected for their number.

    `groups` has two names with their variants; numbers are called by these names. `means` has further
    measures, name -> measure, whose means and extremes are given for both groups.
    """

    groups: dict[str, Group] = Field(min_length=2, max_length=2)
    measures: tuple[NamelessNumber, ...] = Field(min_length=1)
    means: dict[str, NumberName] = Field(default_factory=dict[str, str])
    control: Control | None = None


class Learn(Model):
    """The variants to learn from: those with a `field` below a number."""

    field: FieldName
    below: float


class ThresholdPredicts(Model):
    """A threshold of `measure`, learned from some variants, tells which of the others reach the outcome."""

    measure: NamelessNumber
    learn: Learn


class ToldApart(Model):
    """One of some measures tells the variants that reach the outcome from those that do not: AUC of at least
    `auc`, or of at most 1 - `auc`.
    """

    measures: tuple[NamelessNumber, ...] = Field(min_length=1)
    auc: float = Field(default=0.8, gt=0.5, le=1)


class HasMinimum(Model):
    """At least half of the variants that did not reach the outcome never had as much (`most`) as the least
    of those that reached it (`had`).
    """

    had: NumberName
    most: NumberName
    control: Control | None = None


class OrderInTime(Model):
    """`rises` makes half of its rise (of at least `rise`) before `drops` falls.

    It has fallen from when on it stays below the geometric mean of its maximum and `drop_to`.
    """

    rises: NamelessSeries
    rise: float
    drops: SeriesName
    drop_to: float = Field(gt=0)
    control: Control | None = None


class CommonMembers(Model):
    """Some parts, by index, are in the set of every variant that reached the outcome.

    `stays` counts those that stay in it within a variant.
    """

    members: MembersName
    stays: NumberName


class LiesBetween(Model):
    """A number of each variant with `which` (or all), or its mean over them, lies between two limits."""

    measure: NumberName
    least: float
    most: float
    of: Literal["each", "mean"] = "each"
    which: Which | None = None


class ComesBefore(Model):
    """One epoch, such as that of an event, is earlier than another in every variant with `which`."""

    earlier: NumberName
    later: NumberName
    which: Which | None = None


class UnevenChoice(Model):
    """The variants that reached the outcome prefer some of the things that each of them chooses from."""

    choices: ChoicesName


KINDS: Mapping[str, type[Model]] = {
    "lies_between": LiesBetween,
    "comes_before": ComesBefore,
    "outcomes_are": OutcomesAre,
    "group_is_earlier": GroupIsEarlier,
    "is_extreme": IsExtreme,
    "is_extreme_in_every_group": IsExtremeInEveryGroup,
    "settles_early": SettlesEarly,
    "settles_before_outcome": SettlesBeforeOutcome,
    "seldom_without": SeldomWithout,
    "never_without": NeverWithout,
    "stays_below": StaysBelow,
    "predicts": Predicts,
    "threshold_parts": ThresholdParts,
    "threshold_predicts": ThresholdPredicts,
    "told_apart": ToldApart,
    "has_minimum": HasMinimum,
    "order_in_time": OrderInTime,
    "common_members": CommonMembers,
    "uneven_choice": UnevenChoice,
}
