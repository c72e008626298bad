"""What loss and gradients of an epoch consist of in the numba form, at p=59 and p=113, beside their floor.

    python benchmarks/epoch.py [--json FILE] [--rounds N]

The floor is the arithmetic of the three products with W_out W_U at the rate that they reach by themselves at
p=113, as if nothing else were to do.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import common
import torch
from torch import Tensor

from tdw.compute import one_thread
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import kernels, tables

FAMILY = get_family("modulo_addition_1layer")
CONFIGS = {p: FAMILY.make_config(p=p, seed=999) for p in (59, 113)}
BLOCK = 384  # pairs that are multiplied at a time
PARTS: dict[str, list[tuple[Any, str]]] = {
    "tables over tokens, and back to the weights": [
        (tables.Tables, name) for name in ("fill", "clear_gradients", "gradients")
    ],
    "mixes of table rows, there and back": [
        (kernels, name) for name in ("attention_weights", "mix_forward", "mix_backward")
    ],
    "softmax and loss, but for exponentials": [
        (kernels, name) for name in ("subtract_peak", "loss_and_gradient")
    ],
}


def epoch(config: Config) -> Callable[[], object]:
    """Loss and gradients of weights that are a few steps old, with no step between."""
    weights, objective = FAMILY.init_weights(config), FAMILY.objective(config, form="numba")
    optimizer = FAMILY.make_optimizer(config, weights)
    for _ in range(3):
        objective.loss_and_gradients(weights, 0)
        optimizer.step()
    return lambda: objective.loss_and_gradients(weights, 0)


def flops(config: Config) -> float:
    """Of the three products with W_out W_U: 2 N d_mlp p each."""
    return 6.0 * config.n_train * config.d_mlp * config.p


def readout_products(config: Config) -> Callable[[], object]:
    """The three products with W_out W_U, each as its formula says, in blocks as the numba form has them."""
    p, d_mlp, n_train = config.p, config.d_mlp, config.n_train
    readout, d_readout = torch.rand(d_mlp, p), torch.zeros(d_mlp, p)
    post, logits, d_post = torch.rand(BLOCK, d_mlp), torch.rand(BLOCK, p), torch.rand(BLOCK, d_mlp)
    sizes = [min(BLOCK, n_train - start) for start in range(0, n_train, BLOCK)]

    def work() -> None:
        for n in sizes:
            torch.mm(post[:n], readout, out=logits[:n])
            d_readout.addmm_(post[:n].T, logits[:n])
            torch.mm(logits[:n], readout.T, out=d_post[:n])

    return work


def table_products(config: Config) -> Callable[[], object]:
    """The twelve products that make the tables and go back to the weights, each as its formula says."""
    p, d, d_mlp, heads, d_head = config.p, config.d_model, config.d_mlp, config.n_heads, config.d_head
    rows, width, of_heads = 2 * p + 1, d_mlp + p, heads * d_head
    inputs, values, square = torch.rand(rows, d), torch.rand(rows, of_heads), torch.rand(d, of_heads)
    into, through, table = torch.rand(d, width), torch.rand(of_heads, width), torch.rand(heads, rows, width)
    w_out, w_u, readout = torch.rand(d_mlp, d), torch.rand(d, p), torch.rand(d_mlp, p)
    per_head, of_head = torch.rand(heads, rows, d_head), through.view(heads, d_head, width)
    pairs: list[tuple[Tensor, Tensor]] = [
        (inputs, square), (square.T, into), (per_head, of_head), (w_out, w_u),
        (table, of_head.transpose(1, 2)), (per_head.transpose(1, 2), table), (inputs.T, values),
        (values, square.T), (square, through), (through, into.T), (readout, w_u.T), (w_out.T, readout),
    ]  # fmt: skip

    def work() -> None:
        for left, right in pairs:
            torch.matmul(left, right)

    return work


def repeated(work: Callable[[], object], times: int) -> Callable[[], int]:
    def run() -> int:
        for _ in range(times):
            work()
        return times

    return run


def parts(config: Config, epochs: int) -> dict[str, float]:
    """Seconds per epoch of each of PARTS and of the rest; medians over epochs."""
    spent = dict.fromkeys(PARTS, 0.0)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            start = time.thread_time()
            result = function(*arguments)
            spent[name] += time.thread_time() - start
            return result

        return call

    originals = [(name, *at, getattr(*at)) for name, functions in PARTS.items() for at in functions]
    found: dict[str, list[float]] = {name: [] for name in (*PARTS, "rest")}
    for name, owner, attribute, function in originals:
        setattr(owner, attribute, timed(name, function))
    try:
        work = epoch(config)
        for _ in range(epochs):
            spent.update(dict.fromkeys(PARTS, 0.0))
            start = time.thread_time()
            work()
            whole = time.thread_time() - start
            for name, seconds in {**spent, "rest": whole - sum(spent.values())}.items():
                found[name].append(seconds)
    finally:
        for _, owner, attribute, function in originals:
            setattr(owner, attribute, function)
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="single epochs: whether it runs at all")
    arguments = parser.parse_args()
    times = {p: 1 if arguments.quick else 3000 // p for p in CONFIGS}
    sides = {"epoch": epoch, "readout": readout_products, "tables": table_products}
    with one_thread():
        timings = common.interleaved(
            {
                f"{side} {p}": repeated(make(config), times[p])
                for side, make in sides.items()
                for p, config in CONFIGS.items()
            },
            rounds=arguments.rounds,
        )
        of_parts = {p: parts(config, 3 * times[p]) for p, config in CONFIGS.items()}
    whole, readout, of_tables = (
        {p: timings[f"{side} {p}"].median for p in CONFIGS} for side in ("epoch", "readout", "tables")
    )
    rate = flops(CONFIGS[113]) / readout[113]
    floor = {p: flops(config) / rate for p, config in CONFIGS.items()}
    lines = {
        "loss and gradients": whole,
        **{f"of these, {name}": {p: of_parts[p][name] for p in CONFIGS} for name in PARTS},
        "of these, the rest: products with W_out W_U, exponentials": {
            p: of_parts[p]["rest"] for p in CONFIGS
        },
        "products with W_out W_U, by themselves": readout,
        "products with W_out W_U, at the rate of p=113": floor,
        "products of the tables, by themselves": of_tables,
    }
    rows = [
        {"an epoch, CPU ms": name, **{f"p={p}": 1e3 * seconds[p] for p in CONFIGS}}
        for name, seconds in lines.items()
    ]
    common.report(
        "An epoch",
        rows,
        environment=common.machine(["torch", "numba", "numpy"]),
        json_path=arguments.json,
        notes=f"One thread; medians of {arguments.rounds} interleaved rounds, parts from single epochs "
        f"afterwards. By themselves products are as their formulas say, neither padded nor transposed. "
        f"Loss and gradients take {whole[59] / floor[59]:.2f} times the floor at p=59, "
        f"{whole[113] / floor[113]:.2f} at p=113, where the products reach {rate / 1e9:.0f} GFLOP/s.",
    )


if __name__ == "__main__":
    main()
