"""P6 in a real browser: sort, filter, pick, scrub, share by address, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from looking import HERE, VARIANT, open_ready, serving

from tdw.store import Address, Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
FAMILY = "modulo_addition_1layer"


def coarseness(store: Store, epoch: int) -> np.ndarray:
    return store.read(Address(FAMILY, VARIANT, "coarseness", epoch)).arrays["neuron_fft_ratio_no_dc"]


def focused(page: Any, key: str) -> str:
    """What is said of the tile that a key leads to."""
    page.focus("#mosaic")
    page.keyboard.press(key)
    return page.inner_text("#mosaic-said")


def cards(page: Any) -> list[str]:
    return page.locator("#maps .card strong").all_inner_texts()


def test_neurons_are_sorted_and_filtered_by_their_numbers(page: Any, served: str, store: Store) -> None:
    open_ready(page, f"{served}/explorer/{HERE}")
    assert "512 of 512 neurons" in page.inner_text("#counts")
    assert focused(page, "Home").startswith("neuron 0 ·")
    page.select_option("#sort", "coarseness")
    page.click("#direction")
    values = coarseness(store, 20)
    highest = int(np.argsort(-values, kind="stable")[0])
    assert focused(page, "Home").startswith(f"neuron {highest} · coarseness {values[highest]:.3f}")
    page.click("[data-band='0.7-']")
    assert f"{int((values >= 0.7).sum())} of 512" in page.inner_text("#counts")
    page.click("[data-band='-0.5']")
    assert f"{int((values < 0.5).sum())} of 512" in page.inner_text("#counts")


def test_up_to_five_neurons_are_picked_by_click_key_or_number(page: Any, served: str) -> None:
    open_ready(page, f"{served}/explorer/{HERE}")
    page.click("#mosaic", position={"x": 10, "y": 10})
    focused(page, "ArrowRight")
    page.keyboard.press("Enter")
    for neuron in (17, 100, 511):
        page.fill("#add", str(neuron))
        page.keyboard.press("Enter")
    assert cards(page) == [f"neuron {n}" for n in (0, 1, 17, 100, 511)]
    page.fill("#add", "3")
    page.keyboard.press("Enter")
    assert len(cards(page)) == 5
    assert "drop one first" in page.inner_text("#messages")
    page.click("[aria-label='drop neuron 17']")
    assert len(cards(page)) == 4


def test_a_step_of_the_slider_shows_map_and_numbers_of_that_checkpoint(
    page: Any, served: str, store: Store
) -> None:
    maps = {e: store.read(Address(FAMILY, VARIANT, "neuron_activations", e)).arrays for e in (0, 10, 20)}
    at_20 = maps[20]["neuron_activations"]
    neuron = int(np.argmax(at_20.std(axis=(1, 2))))
    open_ready(page, f"{served}/explorer/{HERE}?n={neuron}&scale=free")
    for epoch, key in ((20, None), (10, "ArrowLeft"), (0, "ArrowLeft"), (10, "ArrowRight")):
        if key:
            page.focus("#epoch")
            page.keyboard.press(key)
        assert page.inner_text("#epoch-said") == f"epoch {epoch}"
        shown = page.inner_text("#maps .numbers")
        assert f"coarseness {coarseness(store, epoch)[neuron]:.3f}" in shown
        # Viridis gets lighter all the way: the lightest pixel is the largest activation.
        pixels = page.evaluate(
            "() => { const c = document.querySelector('#maps canvas');"
            " return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"
        )
        green = np.array(pixels).reshape(7, 7, 4)[..., 1]
        expected = maps[epoch]["neuron_activations"][neuron]
        assert np.unravel_index(green.argmax(), (7, 7)) == np.unravel_index(expected.argmax(), (7, 7))


def test_a_view_is_in_its_address_and_a_reload_restores_it(page: Any, served: str) -> None:
    open_ready(page, f"{served}/explorer/{HERE}")
    for neuron in (5, 9):
        page.fill("#add", str(neuron))
        page.keyboard.press("Enter")
    page.select_option("#sort", "variance")
    page.select_option("#scale", "free")
    page.select_option("#at", "10")
    page.click("#head-picks button >> nth=2")
    page.focus("#epoch")
    page.keyboard.press("Home")
    page.wait_for_url("**e=0**")
    address = page.url
    for part in ("n=5,9", "h=2", "sort=variance", "scale=free", "at=10", "e=0"):
        assert part in address
    page.reload()
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert cards(page) == ["neuron 5", "neuron 9"]
    assert page.locator("#heads .card").count() == 2
    assert page.inner_text("#epoch-said") == "epoch 0"
    values = [page.input_value(f"#{name}") for name in ("sort", "scale", "at")]
    assert values == ["variance", "free", "10"]
    assert page.locator("#lines svg path.curve").count() == 2 + 2 + 2  # neurons, head to a and b; frequencies


def test_an_address_with_nonsense_opens_what_makes_sense(page: Any, served: str) -> None:
    open_ready(page, f"{served}/explorer/{HERE}?n=3,3,9999,x,-1&e=7&at=1e9&sort=evil&cmin=abc&h=77")
    assert cards(page) == ["neuron 3"]
    assert page.inner_text("#epoch-said") in ("epoch 10", "epoch 0")
    assert "512 of 512" in page.inner_text("#counts")


def test_missing_maps_are_named_and_shown_as_missing(page: Any, store: Store, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(store.root, tmp_path / "gap")
    gap = Store(tmp_path / "gap")
    gap.delete(Address(FAMILY, VARIANT, "neuron_activations", 10))
    with serving(gap) as url:
        open_ready(page, f"{url}/explorer/{HERE}?n=3&e=10")
        assert "neuron_activations: 1 of 3 epochs missing: 10" in page.text_content("#messages")
        assert "no map at epoch 10" in page.inner_text("#maps .missing")
        assert "(no maps)" in page.inner_text("#epoch-said")
        for epoch in (0, 20):
            gap.delete(Address(FAMILY, VARIANT, "neuron_activations", epoch))
        page.goto(f"{url}/explorer/{HERE}")
        page.wait_for_selector("#messages a")
        assert "Materialize neuron_activations" in page.inner_text("#messages")
