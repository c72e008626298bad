"""P14 in a real browser: curves grow without a reload."""

from __future__ import annotations

from typing import Any

import pytest
from looking import FAMILY
from training_that_goes_on import training

from tdw.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
NEW = "p7_s3_d598_f0.5"
PATH = f"""document.querySelector("tr[data-place$='{NEW}'] .spark path").getAttribute("d").length"""


def test_curves_grow_while_a_variant_trains(page: Any, served: str, store: Store) -> None:
    page.goto(f"{served}/")
    with training(store, NEW, last=500) as reach:
        reach(20)
        page.wait_for_selector(f"tr[data-place$='{NEW}'] .spark")  # a row that the page did not have
        before = page.evaluate(PATH)
        reach(300)
        page.wait_for_selector(f"tr[data-place$='{NEW}'] :text('epoch 300 of 500')")
        assert page.evaluate(PATH) > before
        page.goto(f"{served}/view/variant/{FAMILY.name}/{NEW}")
        page.wait_for_selector("text=The figure shows the history so far")
        points = "document.getElementById('figure')._fullData[0].x.length"
        assert page.evaluate(points) == 301
    page.wait_for_selector("#running:has-text('ended'), #running[hidden]", state="attached")
    page.wait_for_timeout(100)
    assert "training, epoch" not in page.inner_text("section:has(#figure)")
