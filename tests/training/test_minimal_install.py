"""tdw trains where only torch, numpy, einops, safetensors, pandas and pyarrow are installed."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
for name in ("numba", "dagster", "pydantic", "yaml", "plotly", "matplotlib", "transformer_lens", "upath",
             "fsspec", "scipy", "rich", "psutil", "jinja2"):
    sys.modules[name] = None  # importing it is an ImportError
from tdw.families import get_family
from tdw.store import Address, Store
from tdw.training.loop import train
family = get_family("modulo_addition_1layer")
config = family.parse_variant("p5_s1_d598_f0.4")
store = Store(sys.argv[1])
made = list(train(config, store=store, checkpoints=[0, 3]))
assert [checkpoint.epoch for checkpoint in made] == [0, 3]
address = Address(family.name, config.key, "checkpoints", 3)
assert store.provenance(address).environment["form"] == "plain"
import torch
weights = {name: torch.tensor(array) for name, array in store.read(address).arrays.items()}
assert family.probe_pass(config, weights).mlp_post.shape == (512, 5, 5)
"""


def test_training_and_the_probe_pass_need_nothing_of_the_workbench(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
