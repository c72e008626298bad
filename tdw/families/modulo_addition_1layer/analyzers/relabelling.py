"""A12, the relabelling control: what coarseness would be, had the residues other names.

The map a -> c a, for a unit c of Z_p, is an automorphism of addition mod p: a model whose residues are
renamed so solves the same task with the same loss. Labels c: what was at the residue c x is now at x, so
every residue is multiplied by 1 / c. The map of a neuron becomes f(c a, c b), and frequency k becomes c k:
its coefficient at (k, l) is the one that was at (k / c, l / c) mod p. Coarseness depends on |coefficients|²
alone, so relabelling permutes the energies by pair of frequencies, and the one transform of a checkpoint
serves all c, exactly. c and -c give the same energies: c = 1..(p-1)/2 are all there are, and c = 1 is the
observed one.

The other operations are homogeneous too, of degree n: f(c a, c b) = cⁿ f(a, b). The renamed model gives each
answer another name, which its unembedding may; task and loss are the same again.

If low frequencies meant anything to the task, the observed labels would rank high among them; if not, their
rank is as likely one place as another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers import coarseness
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.zp_fourier import Float64, Spectra, low_disc
from tdw.recipes.analyzer import Analyzer, Metadata

NAME = "relabelling"


def compute(context: CheckpointContext, parameters: BlobRule) -> Arrays:
    """The arrays that `ANALYZER` lists; h = (p - 1) / 2."""
    radius = float(context.results[coarseness.NAME]["radius_fraction"])
    return control(context.neuron_spectra, radius_fraction=radius, blob_from=parameters.blob_from)


def control(found: Spectra, *, radius_fraction: float = 0.125, blob_from: float = 0.7) -> Arrays:
    """The control of one checkpoint, from the energies of its neuron maps.

    Args:
        found: `spectra` of the maps (d_mlp, p, p).
        radius_fraction: radius of the low disc as a share of p.
        blob_from: coarseness of a blob, at least.
    """
    values = relabelled_coarseness(found, radius_fraction=radius_fraction)
    means, blobs = values.mean(axis=1), (values >= blob_from).sum(axis=1)
    return {
        "mean_coarseness": means,
        "num_blob_neurons": blobs.astype(np.int64),
        "rank_mean_coarseness": np.array(rank(means), np.int64),
        "rank_num_blob_neurons": np.array(rank(blobs), np.int64),
    }


def relabelled_coarseness(found: Spectra, *, radius_fraction: float) -> Float64:
    """Coarseness of the relabeled maps: float64 (h, n), row c - 1 for the labels c a.

    Row 0 has the bits of `metrics.fft_ratio_no_dc`.
    """
    p, h = found.p, found.p // 2
    low = low_disc(p, radius_fraction)
    low[0, 0] = False
    values = np.zeros((h, len(found.energy)))
    varying = found.varying
    for c in range(1, h + 1):
        moved = folded(c, p)
        part = found.at(low[np.ix_(moved, moved)])
        np.divide(part, varying, out=values[c - 1], where=varying > 0)
    return np.minimum(values, 1)


def folded(c: int, p: int) -> npt.NDArray[np.int64]:
    """Where relabelling by c takes the frequencies 0..h: c k mod p, folded to 0..h; int64 (h + 1,)."""
    moved = c * np.arange(p // 2 + 1) % p
    return np.minimum(moved, p - moved)


def rank(values: npt.NDArray[np.number]) -> int:
    """Rank of the first of values (h,), 1 for the highest; of equal ones the last.

    So rank / h is the exact probability of a rank as good or better when all h labels are as likely.
    """
    return int((values >= values[0]).sum())


def describe(arrays: Arrays) -> Metadata:
    """Where the observed labels rank."""
    return {
        "rank_mean_coarseness": int(arrays["rank_mean_coarseness"]),
        "rank_num_blob_neurons": int(arrays["rank_num_blob_neurons"]),
        "num_labellings": len(arrays["mean_coarseness"]),
    }


ANALYZER = Analyzer(
    name=NAME,
    title="Relabelling control",
    description="""\
Multiplying every residue by a unit c of Z_p permutes the inputs, turns frequency k into c k and leaves the
task as it is, so *low* frequency has no meaning that the task can see. For every c in 1..(p-1)/2 the mean
coarseness and the number of blobs (≥ 0.7) of the maps relabeled by c; c = 1 is the observed labeling. The
ranks say how many labelings reach at least the observed value, itself included: rank / ((p-1)/2) is
the probability of that under the hypothesis that labels mean nothing. Exact: relabelling only permutes the
energies by pair of frequencies.
""",
    code_version="1",
    parameters=BlobRule,
    function=compute,
    requires=(coarseness.NAME,),
    arrays={
        "mean_coarseness": "float64 ((p-1)/2,), of the labels c = 1, 2, ...",
        "num_blob_neurons": "int64 ((p-1)/2,), at or above blob_from",
        "rank_mean_coarseness": "int64 (), labelings that reach the observed mean, itself included",
        "rank_num_blob_neurons": "int64 (), labelings that reach the observed count, itself included",
    },
    describe=describe,
)
