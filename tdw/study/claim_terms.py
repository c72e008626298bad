"""What claims may name: measures, fields and controls of the family, checked when a study is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from tdw.recipes.measures import COMMON, Choices, Members, Number, Series

if TYPE_CHECKING:
    from tdw.recipes.family import Family
    from tdw.recipes.measures import Measure

_WORDS: Mapping[type, str] = {Number: "number", Series: "series", Members: "set", Choices: "choice"}


def measures_of(family: Family) -> dict[str, Measure]:
    """The measures that claims about a family's variants may name."""
    return {**COMMON, **family.measures}


def _family(info: ValidationInfo) -> Family:
    context: Any = info.context
    return context["family"]


def _measure(wanted: type) -> AfterValidator:
    def check(name: str, info: ValidationInfo) -> str:
        family = _family(info)
        known = [key for key, measure in measures_of(family).items() if isinstance(measure, wanted)]
        if name not in known:
            raise ValueError(f"{family.name} has no {_WORDS[wanted]} {name!r}; it has {', '.join(known)}")
        return name

    return AfterValidator(check)


def _field(name: str, info: ValidationInfo) -> str:
    family = _family(info)
    known = [field.name for field in family.fields]
    if name not in known:
        raise ValueError(f"{family.name} has no field {name!r}; it has {', '.join(known)}")
    return name


def _fields(values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    for name in values:
        _field(name, info)
    return values


def _nameless(name: str, info: ValidationInfo) -> str:
    measure = measures_of(_family(info))[name]
    if isinstance(measure, (Number, Series)) and measure.depends_on:
        raise ValueError(
            f"{name} depends on {measure.depends_on}, which the task does not see, so no association with it "
            "can be more than chance; use a measure that does not, such as a mean over all of them"
        )
    return name


NumberName = Annotated[str, _measure(Number)]
SeriesName = Annotated[str, _measure(Series)]
NamelessNumber = Annotated[str, _measure(Number), AfterValidator(_nameless)]
"""A number that does not depend on what the task does not see."""
NamelessSeries = Annotated[str, _measure(Series), AfterValidator(_nameless)]
MembersName = Annotated[str, _measure(Members)]
ChoicesName = Annotated[str, _measure(Choices)]
FieldName = Annotated[str, AfterValidator(_field)]
Which = Annotated[dict[str, int | float | str], Field(min_length=1), AfterValidator(_fields)]
"""Variants by values of their fields, such as {p: 101, seed: 999}."""
Group = Literal["reached", "not_reached", "others"] | Which
"""Variants by outcome at the study's end, all that are not in the other group, or by fields."""


class Model(BaseModel):
    """Frozen, and nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Control(Model):
    """A control of the family, which of its series is read, and at which epoch."""

    name: str
    series: str
    at: Literal["early", "outcome", "last"] = "early"

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Control:
        family = _family(info)
        control = family.controls.get(self.name)
        if control is None:
            raise ValueError(
                f"{family.name} has no control {self.name!r}; it has {', '.join(family.controls)}"
            )
        if self.series not in control.series:
            raise ValueError(f"{self.name} has no series {self.series!r}; it has {', '.join(control.series)}")
        return self


class Limit(Model):
    """A share of a number of the variant, such as 0.01 of its neurons."""

    share: float = Field(gt=0, le=1)
    of: NumberName
