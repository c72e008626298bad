"""What loss and gradients of an epoch consist of in the numba form, at p=59 and p=113, beside their floor.

    python benchmarks/epoch.py [--json FILE] [--rounds N]

The floor is the arithmetic of the three products with W_out W_U at the rate that they reach by themselves at
p=113, as if nothing else were to do.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
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


class Parts:
    """Times the functions of PARTS wherever they are called, while it is entered."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._originals = [(*at, getattr(*at)) for functions in PARTS.values() for at in functions]

    def __enter__(self) -> Parts:
        for name, functions in PARTS.items():
            for owner, attribute in functions:
                setattr(owner, attribute, self._timed(name, getattr(owner, attribute)))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, attribute, function in self._originals:
            setattr(owner, attribute, function)

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            start = time.thread_time()
            result = function(*arguments)
            self.seconds[name] += time.thread_time() - start
            return result

        return call


def measured(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of single calls, by contestant: the whole, each of PARTS, and the rest of it.

    Of each the bound of the fastest tenth: neighbors on the machine take cache from the others. In each round
    each is called four times, and the first, which finds the others' data in the cache, does not count.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            for call in range(4):
                with Parts() as parts:
                    start = time.thread_time()
                    work()
                    whole = time.thread_time() - start
                if call:
                    rest = whole - sum(parts.seconds.values())
                    found[name].append({"whole": whole, **parts.seconds, "rest": rest})
    return {
        name: {part: statistics.quantiles((each[part] for each in times), n=10)[0] for part in times[0]}
        for name, times in found.items()
    }


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="single calls: whether it runs at all")
    arguments = parser.parse_args()
    sides = {"epoch": epoch, "readout": readout_products, "tables": table_products}
    with one_thread():
        timings = measured(
            {f"{side} {p}": make(config) for p, config in CONFIGS.items() for side, make in sides.items()},
            1 if arguments.quick else 10 * arguments.rounds,
        )
    of_parts = {p: timings[f"epoch {p}"] for p in CONFIGS}
    readout, of_tables = (
        {p: timings[f"{side} {p}"]["whole"] for p in CONFIGS} for side in ("readout", "tables")
    )
    rate = flops(CONFIGS[113]) / readout[113]
    floor = {p: flops(config) / rate for p, config in CONFIGS.items()}
    lines = {
        "loss and gradients": {p: of_parts[p]["whole"] for p in CONFIGS},
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
        notes="One thread; of single epochs the fastest tenth. Products by themselves are as their formulas "
        f"say, neither padded nor transposed. Those with W_out W_U reach {rate / 1e9:.0f} GFLOP/s at p=113; "
        f"at this rate they would be 1 / {of_parts[59]['whole'] / floor[59]:.2f} of the whole at p=59, "
        f"1 / {of_parts[113]['whole'] / floor[113]:.2f} at p=113.",
    )


if __name__ == "__main__":
    main()
