"""What `tdw.optimizers.eager` relies on in torch: a new version of torch has to pass this first."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, torch
from tdw.optimizers import eager

def weights():
    weight = torch.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
    weight.grad = torch.linspace(2, -3, 12).reshape(3, 4)
    return weight

kinds = {
    "SGD": lambda w: torch.optim.SGD([w], lr=0.1, momentum=0.9, fused=True),
    "Adam": lambda w: torch.optim.Adam([w], lr=0.1, fused=True),
    "AdamW": lambda w: torch.optim.AdamW([w], lr=0.1, weight_decay=1.0, fused=True),
    "Muon": lambda w: torch.optim.Muon([w], lr=0.1, adjust_lr_fn="match_rms_adamw"),
}
found = {}
for name, make in kinds.items():
    weight = weights()
    optimizer = eager.build(lambda: make(weight))
    for _ in range(3):
        eager.step(optimizer)
    found[name] = weight.detach().clone()
assert "torch._dynamo" not in sys.modules, "torch imports its compiler by another way now"
for name, make in kinds.items():
    weight = weights()
    optimizer = make(weight)
    for _ in range(3):
        optimizer.step()
    assert torch.equal(weight, found[name]), name
assert "torch._dynamo" in sys.modules, "torch no longer imports its compiler: tdw.optimizers.eager can go"
"""


def test_optimizers_step_alike_with_and_without_the_import_of_torchs_compiler() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=250)
