"""What we use of pandas beyond its documentation: the tree in which its options lie."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from tdw.known_settings import _options_now  # pyright: ignore[reportPrivateUsage]


def test_the_tree_of_options_has_the_values_that_pandas_gives() -> None:
    options: Any = pd
    found = _options_now(options.options.d)
    assert {"compute.use_numexpr", "display.float_format", "mode.chained_assignment"} <= found.keys()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # asking for a deprecated option warns
        assert found == {name: options.get_option(name) for name in found}


def test_an_option_that_is_set_is_seen_in_the_tree() -> None:
    options: Any = pd
    with options.option_context("display.precision", 3):
        assert _options_now(options.options.d)["display.precision"] == 3
