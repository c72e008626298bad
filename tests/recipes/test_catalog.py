import dataclasses
import itertools
import subprocess
import sys

import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import coarseness, coarseness_stats
from tdw.families.registry import all_families, get_family
from tdw.parameters import override
from tdw.recipes.catalog import catalog_of

FAMILY = get_family("modulo_addition_1layer")
registry = catalog_of(FAMILY)


ODD = [
    None, True, 0, -1, 10**30, 0.5, float("nan"), float("inf"), "", "x", ["x"], [1, "x"], {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("family", [family.name for family in all_families()])
def test_whatever_a_parameter_is_it_is_used_or_refused_in_words(family):
    catalog = catalog_of(get_family(family))
    for recipe in (*catalog.analyzers, *catalog.summaries, *catalog.plots):
        for field, value in itertools.product(dataclasses.fields(recipe.parameters), ODD):
            try:
                made = override(recipe.name, recipe.parameters, {field.name: value})
            except BadConfig as error:
                assert error.what.startswith(recipe.name) and error.remedy
            else:
                assert hash(made) is not None


def test_importing_the_registry_imports_nothing_heavy():
    heavy = ("torch", "pandas", "numba")
    code = f"import sys, tdw.families; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_two_recipes_of_one_name_are_refused():
    twice = dataclasses.replace(FAMILY, recipes=(*FAMILY.recipes, coarseness.ANALYZER))
    with pytest.raises(BadConfig, match="two recipes called coarseness"):
        catalog_of(twice)


def test_a_recipe_that_needs_what_is_not_there_is_refused():
    without = tuple(recipe for recipe in FAMILY.recipes if recipe is not coarseness.ANALYZER)
    with pytest.raises(BadConfig, match="needs coarseness"):
        catalog_of(dataclasses.replace(FAMILY, recipes=without))


def test_required_analyzers_come_first_whatever_the_order_asked_for():
    order = registry.in_order(["coarseness_stats", "coarseness", "attention_patterns"])
    assert [a.name for a in order] == ["attention_patterns", "coarseness", "coarseness_stats"]
    assert [a.name for a in registry.in_order(["coarseness_stats"])] == ["coarseness_stats"]


def test_an_unknown_analyzer_is_answered_with_those_there_are():
    with pytest.raises(BadConfig, match="coarseness_stats"):
        registry.analyzer("roughness")


def test_a_changed_parameter_changes_the_spec_version_of_what_rests_on_it():
    changed = {"coarseness": coarseness.Parameters(radius_fraction=0.2)}
    for name, differs in (("coarseness", True), ("coarseness_stats", True), ("neuron_frequencies", False)):
        assert (registry.spec_version(name) != registry.spec_version(name, changed)) == differs
    thresholds = {"coarseness_stats": coarseness_stats.Parameters(thresholds=(0.5,))}
    assert registry.spec_version("coarseness", thresholds) == registry.spec_version("coarseness")


def test_changed_code_changes_the_spec_version():
    newer = dataclasses.replace(coarseness.ANALYZER, code_version=coarseness.ANALYZER.code_version + ".1")
    recipes = tuple(newer if recipe is coarseness.ANALYZER else recipe for recipe in FAMILY.recipes)
    changed = catalog_of(dataclasses.replace(FAMILY, recipes=recipes))
    for name, differs in (("coarseness", True), ("coarseness_stats", True), ("neuron_frequencies", False)):
        assert (changed.spec_version(name) != registry.spec_version(name)) == differs


def test_defaults_given_or_left_out_are_the_same_spec():
    assert registry.spec_version(
        "coarseness", {"coarseness": coarseness.Parameters()}
    ) == registry.spec_version("coarseness")


def test_parameters_of_a_study_file_become_those_of_the_analyzer():
    found = registry.resolve_parameters({"coarseness_stats": {"thresholds": [0.5, 0.9]}})
    assert found == {"coarseness_stats": coarseness_stats.Parameters(thresholds=(0.5, 0.9))}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"coarseness": {"radius": 0.1}}, "coarseness has no parameter 'radius'"),
        ({"coarseness": {"bottleneck": 0}}, "coarseness: parameter bottleneck = 0"),
        ({"roughness": {}}, "no analyzer is called 'roughness'"),
        ({"neuron_activations": {"x": 1}}, "it takes none"),
    ],
)
def test_a_wrong_parameter_is_refused_with_analyzer_field_and_value(values, message):
    with pytest.raises(BadConfig, match=message):
        registry.resolve_parameters(values)


def test_parameters_of_another_analyzer_are_refused():
    with pytest.raises(BadConfig, match="resolve_parameters"):
        registry.parameters_of("coarseness", {"coarseness": coarseness_stats.Parameters()})
