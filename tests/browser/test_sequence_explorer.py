"""The sequence explorer in a real browser: tokens, slider, choices, address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import synthetic_sequences as made
from looking import open_ready, serving

from tdw.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
KEY = "layers3_heads2_std0.1_s0"
PIXEL = """([row, column]) => {
  const canvas = document.getElementById('map');
  const context = canvas.getContext('2d');
  const { margin, cell } = canvas.dataset;
  const at = (place) => (Number(margin) + (place + 0.5) * Number(cell)) * devicePixelRatio;
  return [...context.getImageData(at(column), at(row), 1, 1).data];
}"""


def shades(page: Any) -> list[str]:
    return page.eval_on_selector_all("#tokens button", "all => all.map(each => each.style.background)")


def test_attention_is_drawn_over_the_tokens_of_the_chosen_sequence_head_and_epoch(
    page: Any, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    for name in ("attention_patterns", "head_scores"):
        made.write(store, "symbolic_ioi", KEY, made.transformer_arrays, only=name)
    with serving(store) as url:
        open_ready(page, f"{url}/explorer/symbolic_ioi/{KEY}")
        # At the last epoch each query attends to the position before it alone.
        assert "query 4" in page.inner_text("#map-said") and "attends most to 3" in page.inner_text(
            "#map-said"
        )
        assert page.inner_text("#map-said").endswith(": 1")
        assert len(set(shades(page))) == 2 and shades(page)[3] not in shades(page)[:3]
        yellow, open_ = page.evaluate(PIXEL, [2, 1]), page.evaluate(PIXEL, [1, 2])
        assert yellow[0] > 200 and yellow[1] > 200 and yellow[2] < 100
        assert open_[3] == 0  # the future stays open
        page.focus("#epoch")
        page.keyboard.press("Home")
        assert page.inner_text("#map-said").endswith(": 0.2") and len(set(shades(page))) == 1
        page.click("#tokens button >> nth=1")
        assert "query 1" in page.inner_text("#map-said") and shades(page)[2:] == ["", "", ""]
        page.select_option("#layer", "0")
        page.select_option("#head", "1")
        page.select_option("#which", "2")
        page.wait_for_url("**s=2**")
        address = page.url
        for part in ("e=0", "l=0", "h=1", "s=2", "q=1"):
            assert part in address
        page.reload()
        page.wait_for_selector("html[data-ready=true]", state="attached")
        assert page.inner_text("#epoch-said") == "epoch 0"
        assert [page.input_value(f"#{name}") for name in ("layer", "head", "which", "query")] == list("0121")
        assert page.locator("#lines svg path.curve").count() == 5
        page.select_option("#which", "mean")
        assert page.inner_text("#tokens button >> nth=0").startswith("·")
        # What makes no sense is the default.
        open_ready(page, f"{url}/explorer/symbolic_ioi/{KEY}?l=9&h=x&s=77&q=-1&scale=evil")
        assert [page.input_value(f"#{name}") for name in ("layer", "head", "which", "query")] == list("2004")
