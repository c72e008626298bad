"""P6 in a real browser: sort, filter, pick, scrub, share by address, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from looking import HERE, VARIANT, open_ready, serving

from tdw.store import Address, Store, TableAddress

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
FAMILY = "modulo_addition_1layer"
PIXELS = """() => {
  const canvas = document.querySelector('#maps canvas');
  return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
}"""


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


def test_a_button_picks_the_neuron_that_stands_for_each_scale(page: Any, served: str, store: Store) -> None:
    summary = store.read_table(TableAddress(FAMILY, VARIANT, "scale_clusters"))
    standing = summary[summary["representative"]].sort_values("cluster")["neuron"].tolist()
    open_ready(page, f"{served}/explorer/{HERE}?n=1")
    page.click("#scales")
    page.wait_for_selector("[data-key='picks']")
    assert cards(page) == [f"neuron {n}" for n in standing[:5]]
    assert f"{len(standing)} clusters of scale profiles at epoch 20" in page.inner_text("[data-key='picks']")
    wanted = f"n={','.join(map(str, standing[:5]))}"
    page.wait_for_url(lambda url: wanted in url.replace("%2C", ","))  # written a moment later


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
        green = np.array(page.evaluate(PIXELS)).reshape(7, 7, 4)[..., 1]
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


def test_maps_kept_on_demand_are_computed_when_the_slider_stops_there(
    page: Any, store: Store, tmp_path: Path
) -> None:
    import shutil

    maps = {e: store.read(Address(FAMILY, VARIANT, "neuron_activations", e)).arrays for e in (0, 10, 20)}
    neuron = int(np.argmax(maps[20]["neuron_activations"].std(axis=(1, 2))))
    shutil.copytree(store.root, tmp_path / "thin")
    thin = Store(tmp_path / "thin")
    for epoch in maps:
        thin.drop_arrays(Address(FAMILY, VARIANT, "neuron_activations", epoch))
    with serving(thin) as url:
        open_ready(page, f"{url}/explorer/{HERE}?n={neuron}&e=20")
        said = page.text_content("#messages")
        assert "Neuron maps of 3 of 3 checkpoints are kept on demand" in said and "Not complete" not in said
        for epoch, key in ((20, None), (10, "ArrowLeft")):
            if key:
                page.focus("#epoch")
                page.keyboard.press(key)
            page.wait_for_selector("#maps canvas:not(.faded)")
            expected = maps[epoch]["neuron_activations"][neuron]
            brightest = np.array(page.evaluate(PIXELS)).reshape(7, 7, 4)[..., 1].argmax()
            assert np.unravel_index(brightest, (7, 7)) == np.unravel_index(expected.argmax(), (7, 7))
        assert page.inner_text("#epoch-said") == "epoch 10"
        assert page.locator("#messages .error").count() == 0


CENTER = """([row, column, side]) => {
  const box = document.querySelector('#maps canvas').getBoundingClientRect();
  return [box.left + ((column + 0.5) / side) * box.width, box.top + ((row + 0.5) / side) * box.height];
}"""


def test_value_and_pair_under_the_cursor_are_told_by_every_map(page: Any, served: str, store: Store) -> None:
    stored = store.read(Address(FAMILY, VARIANT, "neuron_activations", 20)).arrays["neuron_activations"]
    attention = store.read(Address(FAMILY, VARIANT, "attention_patterns", 20)).arrays["attention_patterns"]
    neurons = np.argsort(-stored.std(axis=(1, 2)))[:2].tolist()
    open_ready(page, f"{served}/explorer/{HERE}?n={neurons[0]},{neurons[1]}&h=1")
    page.locator("#maps canvas").first.scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(CENTER, [2, 5, 7]))
    told = page.locator(".under").all_inner_texts()
    assert all(text.startswith("a = 2, b = 5: ") for text in told)
    values = [float(text.split(": ")[1]) for text in told]
    expected = [*(stored[n, 2, 5] for n in neurons), attention[1, 0, 2, 5], attention[1, 1, 2, 5]]
    np.testing.assert_allclose(values, expected, atol=0.01 * stored[neurons].max())
    ticks = page.locator("#maps .card >> nth=0 >> .of-right").all_inner_texts()
    assert ticks == ["0", "2", "4", "6"]


def test_maps_are_zoomed_together_by_keys_and_the_part_is_in_the_address(page: Any, served: str) -> None:
    size = "[...document.querySelectorAll('.card canvas')].map((each) => each.width)"
    open_ready(page, f"{served}/explorer/{HERE}?n=3&h=1")
    assert page.evaluate(size) == [7, 7, 7]
    page.focus("#maps canvas")
    page.keyboard.press("ArrowDown")
    assert page.inner_text(".under >> nth=0").startswith("a = 4, b = 3: ")
    page.keyboard.press("+")
    page.wait_for_url("**zn=4**")
    assert page.evaluate(size) == [4, 4, 4]
    page.reload()
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert page.evaluate(size) == [4, 4, 4]
    page.click("#whole")
    assert page.evaluate(size) == [7, 7, 7]


def test_a_map_is_saved_as_numbers_and_as_a_picture(page: Any, served: str, store: Store) -> None:
    stored = store.read(Address(FAMILY, VARIANT, "neuron_activations", 10)).arrays["neuron_activations"][3]
    small = store.read(Address(FAMILY, VARIANT, "downsampled_activations", 10)).arrays
    for maps, expected in (("full", stored), ("small", small["neuron_acts_downsampled"][3])):
        open_ready(page, f"{served}/explorer/{HERE}?n=3&e=10&maps={maps}")
        with page.expect_download() as saved:
            page.click("#maps button:text('CSV')")
        name = "neuron_3_epoch_10" + ("" if maps == "full" else "_28x28")
        assert saved.value.suggested_filename == f"{VARIANT}_{name}.csv"
        rows = np.genfromtxt(saved.value.path(), delimiter=",", skip_header=1)[:, 1:]
        np.testing.assert_allclose(rows, expected, atol=np.ptp(expected) / 500 + 1e-6)
        with page.expect_download() as saved:
            page.click("#maps button:text('PNG')")
        assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


def test_the_slider_marks_the_grokking_epoch_and_another_variant_opens_in_the_same_view(
    page: Any, store: Store, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(store.root, tmp_path / "two")
    two, other = Store(tmp_path / "two"), VARIANT.replace("s1", "s2")
    shutil.copytree(tmp_path / "two" / FAMILY / VARIANT, tmp_path / "two" / FAMILY / other)
    address = TableAddress(FAMILY, VARIANT, "grokking")
    table, provenance = two.read_table_with_provenance(address)
    two.write_table(address, table.assign(grokked=True, grokking_epoch=12), provenance=provenance)
    with serving(two) as url:
        open_ready(page, f"{url}/explorer/{HERE}?n=3,5")
        page.click("[aria-label='go to grokking epoch 12']")
        assert page.inner_text("#epoch-said") == "epoch 10"
        page.wait_for_url("**e=10**")
        page.select_option("#variants", other)
        page.wait_for_url(f"**/{other}?**")
        page.wait_for_selector("html[data-ready=true]", state="attached")
        assert cards(page) == ["neuron 3", "neuron 5"] and page.inner_text("#epoch-said") == "epoch 10"
        assert page.locator(".mark").count() == 0


def test_a_step_of_the_slider_takes_less_than_a_frame(page: Any, served: str) -> None:
    open_ready(page, f"{served}/explorer/{HERE}?n=1,2,3,4,5&h=0,1,2,3")
    page.focus("#maps canvas")
    page.keyboard.press("ArrowDown")  # with values under the cursor
    times = page.evaluate("""() => Array.from({ length: 60 }, (_, i) => {
      const slider = document.getElementById("epoch");
      slider.value = i % 3;
      const start = performance.now();
      slider.dispatchEvent(new Event("input"));
      return performance.now() - start;
    })""")
    assert np.median(times) < 16
