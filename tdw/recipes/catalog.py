"""The one registry: every analyzer, summary and figure that a family has, its own and those valid for all.

Assets, pages, the notebook API and the reference page ask `catalog_of(family)`. Importing this loads neither
torch nor pandas nor plotly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol, TypeVar

from tdw.errors import BadConfig
from tdw.parameters import as_json, override
from tdw.recipes.analyzer import Analyzer
from tdw.recipes.common import COMMON
from tdw.recipes.common.outcome_figures import outcome_plots
from tdw.recipes.consistency.versions import spec_hash
from tdw.recipes.cost import Cost
from tdw.recipes.dashboard import require_dashboard
from tdw.recipes.explorer import RESERVED, Explorer
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.figure import Plot, Scope
from tdw.recipes.summary import Summary
from tdw.store.fingerprints import fingerprint_json, short

ParametersByName = Mapping[str, Any]
"""Analyzer name -> its parameters dataclass; those that are not named have their defaults."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Recipe = TypeVar("Recipe", bound=_Named)


@dataclass(frozen=True, eq=False)
class Catalog:
    """The recipes of one family, in its order.

    Attributes:
        family: its name.
    """

    family: str
    analyzers: tuple[Analyzer, ...]
    summaries: tuple[Summary, ...]
    plots: tuple[Plot, ...]

    @cached_property
    def analyzer_names(self) -> tuple[str, ...]:
        """Names of the analyzers."""
        return tuple(analyzer.name for analyzer in self.analyzers)

    def analyzer(self, name: str) -> Analyzer:
        """An analyzer. Raises BadConfig, which lists those there are."""
        return self._find(self.analyzers, name, "analyzer")

    def summary(self, name: str) -> Summary:
        """A summary. Raises BadConfig, which lists those there are."""
        return self._find(self.summaries, name, "summary")

    def plot(self, name: str, *, scope: Scope | None = None) -> Plot:
        """A plot, of this scope if one is given. Raises BadConfig, which lists those there are."""
        fitting = [plot for plot in self.plots if scope in (None, plot.scope)]
        what = {"variant": "plot of a variant", "comparison": "plot over variants", None: "plot"}[scope]
        return self._find(fitting, name, what)

    @property
    def default_names(self) -> tuple[str, ...]:
        """Names of the analyzers that a study has which names none."""
        return tuple(analyzer.name for analyzer in self.analyzers if analyzer.by_default)

    def summaries_of(self, analyzers: Iterable[str]) -> tuple[Summary, ...]:
        """The summaries that these analyzers and the history allow."""
        there = {"checkpoint", "history", *analyzers}
        return tuple(summary for summary in self.summaries if set(summary.needs) <= there)

    def analyzers_of(self, plot: Plot) -> tuple[str, ...]:
        """Names of the analyzers that a plot is made from, directly or through summaries."""
        below = {f"summaries/{summary.name}": summary.needs for summary in self.summaries}
        named = [name for need in plot.needs for name in below.get(need, (need,))]
        return tuple(name for name in dict.fromkeys(named) if name in self.analyzer_names)

    def switched_off(self, plot: Plot, wanted: Collection[str]) -> tuple[Analyzer, ...]:
        """The analyzers of a plot that are off by default, and not among those that are wanted by name."""
        return tuple(each for each in self._off[plot.name, plot.scope] if each.name not in wanted)

    @cached_property
    def _off(self) -> dict[tuple[str, Scope], tuple[Analyzer, ...]]:
        """(name, scope) of a plot -> those of its analyzers that are off by default."""
        off = {each.name: each for each in self.analyzers if not each.by_default}
        return {
            (plot.name, plot.scope): tuple(off[name] for name in self.analyzers_of(plot) if name in off)
            for plot in self.plots
        }

    def suited(self, configs: Iterable[VariantConfig]) -> tuple[str, ...]:
        """Names of the analyzers that are on by default and refuse none of these variants."""
        listed = list(configs)
        return tuple(name for name in self.default_names if not any(self.refusal(name, c) for c in listed))

    def refusal(self, name: str, config: VariantConfig) -> str:
        """Why an analyzer, or one that it requires, says nothing of a variant; "" where it does."""
        analyzer = self.analyzer(name)
        own = analyzer.refuses(config)
        return own or next(filter(None, (self.refusal(other, config) for other in analyzer.requires)), "")

    def require_suited(self, names: Iterable[str], config: VariantConfig) -> None:
        """Raise BadConfig, with the reason, for an analyzer that says nothing of a variant."""
        for name in names:
            reason = self.refusal(name, config)
            if reason:
                raise BadConfig(
                    f"{name} can't be computed of {config.key}: {reason}",
                    f"leave {name} out of `analyzers`, or the variant out of this study",
                )

    def in_order(self, names: Iterable[str]) -> list[Analyzer]:
        """The named analyzers, in the family's order, but each after those it requires (not added)."""
        wanted = [self.analyzer(name) for name in names]
        ordered: list[Analyzer] = []

        def add(analyzer: Analyzer) -> None:
            if analyzer in ordered:
                return
            for required in analyzer.requires:
                add(self.analyzer(required))
            ordered.append(analyzer)

        for analyzer in self.analyzers:
            add(analyzer)
        return [analyzer for analyzer in ordered if analyzer in wanted]

    # Parameters

    def parameters_of(self, name: str, parameters: ParametersByName | None = None) -> Any:
        """The parameters dataclass of an analyzer: the given one, or its defaults.

        Raises:
            BadConfig: a value of another type than the analyzer's parameters.
        """
        analyzer = self.analyzer(name)
        given = (parameters or {}).get(name)
        if given is None:
            return analyzer.parameters()
        if not isinstance(given, analyzer.parameters):
            raise BadConfig(
                f"the parameters of {name} are {given!r}", "make them with Catalog.resolve_parameters"
            )
        return given

    def resolve_parameters(self, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Parameters from a study file: analyzer name -> field -> value.

        Raises:
            BadConfig: an unknown analyzer or field, or a value that can't be used; names it.
        """
        return {name: override(name, self.analyzer(name).parameters, given) for name, given in values.items()}

    def resolve_options(self, name: str, values: Mapping[str, Any] | None = None) -> Any:
        """A summary's own parameters, from the fields that differ from the defaults.

        Raises:
            BadConfig: an unknown summary or field, or a value that can't be used; names it.
        """
        return override(name, self.summary(name).parameters, values or {})

    def cell_seconds(self, name: str, cost: Cost, parameters: ParametersByName | None = None) -> float:
        """Guessed seconds of one core for an analyzer on one checkpoint.

        Args:
            name: the analyzer's.
            cost: of the variant.
            parameters: by analyzer name.
        """
        return cost.cell + self.analyzer(name).steps(self.parameters_of(name, parameters)) * cost.step

    # Specs

    def inputs_of(self, name: str, parameters: ParametersByName | None = None) -> dict[str, str]:
        """Spec versions of the analyzers it requires, as its artifacts' provenance has them."""
        return {other: self.spec_version(other, parameters) for other in self.analyzer(name).requires}

    def spec_version(self, name: str, parameters: ParametersByName | None = None) -> str:
        """What an up-to-date artifact was computed by: a short hash of code version, parameters and inputs.

        Args:
            name: the analyzer's.
            parameters: by analyzer name, since those of the required ones count too.
        """
        own = as_json(self.parameters_of(name, parameters))
        return spec_hash(name, self.analyzer(name).code_version, own, self.inputs_of(name, parameters))

    def summary_version(self, name: str, options: Any = None) -> str:
        """Short hash of a summary's code version and own parameters; its inputs are recorded apart."""
        summary = self.summary(name)
        own = as_json(summary.parameters() if options is None else options)
        made_by = {"name": name, "code_version": summary.code_version, "parameters": own}
        return short(fingerprint_json(made_by))

    def _find(self, recipes: Iterable[Recipe], name: str, what: str) -> Recipe:
        known = {recipe.name: recipe for recipe in recipes}
        if name not in known:
            listed = ", ".join(known) or f"none, since {self.family} has none"
            raise BadConfig(f"no {what} is called {name[:80]!r}", f"use one of: {listed}")
        return known[name]


@cache
def catalog_of(family: Family) -> Catalog:
    """The catalog of a family: its own recipes, then those for all whose names it does not use itself.

    Raises:
        BadConfig: two recipes of one kind have one name, or a recipe or the explorer needs one that is not
            there.
    """
    own = {(type(recipe), recipe.name) for recipe in family.recipes}
    common = (
        recipe for recipe in (*COMMON, *outcome_plots(family)) if (type(recipe), recipe.name) not in own
    )
    recipes = (*family.recipes, *common)
    catalog = Catalog(
        family.name,
        analyzers=tuple(recipe for recipe in recipes if isinstance(recipe, Analyzer)),
        summaries=tuple(recipe for recipe in recipes if isinstance(recipe, Summary)),
        plots=tuple(recipe for recipe in recipes if isinstance(recipe, Plot)),
    )
    for kind in (catalog.analyzers, catalog.summaries, catalog.plots):
        names = [recipe.name for recipe in kind]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadConfig(f"{family.name} has two recipes called {', '.join(twice)}", "rename one of them")
    known = {"checkpoint", "checkpoints", "history", "summaries/comparison", *catalog.analyzer_names}
    known |= {f"summaries/{summary.name}" for summary in catalog.summaries}
    for recipe in (*catalog.analyzers, *catalog.summaries, *catalog.plots):
        needs = recipe.requires if isinstance(recipe, Analyzer) else recipe.needs
        unknown = sorted(set(needs) - known)
        if unknown:
            raise BadConfig(
                f"{recipe.name} of family {family.name} needs {', '.join(unknown)}",
                f"name what is there: {', '.join(sorted(known))}",
            )
    if family.explorer is not None:
        _require_explorer(family.name, family.explorer, catalog)
    require_dashboard(family, catalog.plots, catalog.summaries)
    return catalog


def _require_explorer(family: str, explorer: Explorer, catalog: Catalog) -> None:
    """Raise BadConfig for an explorer that reads what is not there, or a slice that can't have an address."""
    for name in explorer.analyzers:
        if name not in catalog.analyzer_names:
            raise BadConfig(
                f"the explorer of family {family} needs {name}",
                f"name analyzers that are there: {', '.join(catalog.analyzer_names) or 'none'}",
            )
    for name in explorer.slices:
        if name in RESERVED or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise BadConfig(
                f"the explorer of family {family} has a slice called {name!r}",
                f"use lower case letters, digits and _, but not {' or '.join(RESERVED)}",
            )
