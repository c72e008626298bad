"""A10: measures that move before the test loss does, in the variants that the literature uses.

Definitions follow Nanda et al. 2023 (arXiv:2301.05217), sections 5.1 and 5.2, the code released with it, and
TransformerLens' Grokking demo, which differ; DESCRIPTION says which array is which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers import dominant_frequencies
from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.fourier import logit_fourier
from tdw.families.modulo_addition_1layer.maths.fourier.gini import gini
from tdw.families.modulo_addition_1layer.maths.fourier.logit_fourier import PAIRS, Classes
from tdw.families.operations import unequal_answers
from tdw.families.zp_fourier import Float64, fourier_basis
from tdw.parameters import is_number, require
from tdw.recipes.analyzer import Analyzer, Metadata

NAME = "progress_measures"
EMBEDDING_RULE, LOGIT_RULE, STRONG_RULE = "embedding", "logits", "strong_logits"
FLOOR = 0.07
"""Of the largest norm. Weight decay empties what a trained model does not use, until remnants of a few
percent reach twice the median. The report of a study shows how far claims depend on the floor.
"""
W_OUT, W_U = "blocks.0.mlp.W_out", "unembed.W_U"
RESTRICTED = ("restricted_loss", "restricted_loss_no_bias", "restricted_loss_neurons")
EXCLUDED = ("excluded_loss", "excluded_loss_cosine", "excluded_loss_neurons")


@dataclass(frozen=True)
class Parameters:
    """Which frequencies are key frequencies.

    Attributes:
        key_rule: "embedding" takes the dominant frequencies of W_E (A5, with A5's threshold); "logits" those
            whose norm in the logits along cos, sin(w_k (a + b)) is at least `threshold` times the median;
            "strong_logits" those of them with at least `FLOOR` of the largest norm, too.
        threshold: multiple of the median, of the rules on the logits.
    """

    key_rule: str = EMBEDDING_RULE
    threshold: float = 2.0

    def __post_init__(self) -> None:
        require(
            self.key_rule in (EMBEDDING_RULE, LOGIT_RULE, STRONG_RULE),
            "key_rule",
            self.key_rule,
            wanted=f"'{EMBEDDING_RULE}', '{LOGIT_RULE}' or '{STRONG_RULE}'",
        )
        require(
            is_number(self.threshold) and self.threshold > 1,
            "threshold",
            self.threshold,
            wanted="a multiple of the median above 1",
        )


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """The arrays that `ANALYZER` lists; losses in nats, h = (p - 1) / 2."""
    p = context.p
    logits = context.probe.logits
    groups = logit_fourier.classes(context.labels, p)
    table = logit_fourier.class_means(logits, groups)
    coefficients = logit_fourier.transform(table)
    norms = logit_fourier.frequency_norms(coefficients)
    by_embedding = context.results[dominant_frequencies.ANALYZER.name]["dominant_frequencies"]
    floor = FLOOR if parameters.key_rule == STRONG_RULE else 0.0
    by_logits = keys_of_logits(norms, threshold=parameters.threshold, floor=floor)
    keys = (by_embedding if parameters.key_rule == EMBEDDING_RULE else by_logits).tolist()
    cosines = logit_fourier.cosine_coefficients(coefficients)
    constant = table.mean(axis=0)
    part = logit_fourier.part_of(coefficients, keys)
    neurons = _through_neurons(context, groups, keys)
    found = logit_fourier.losses(
        logits,
        groups,
        logit_fourier.Removals(
            np.stack([part, logit_fourier.cosine_part(cosines, keys, p), neurons]), coefficients
        ),
    )
    restricted = [part + constant, part, neurons - neurons.mean(axis=0) + constant]
    each = [
        logit_fourier.table_losses(logit_fourier.part_of(coefficients, [k]) + constant, groups.counts)
        for k in range(1, len(norms) + 1)
    ]
    return {
        **_by_pairs("loss", found.loss),
        **_by_pairs("accuracy", found.accuracy),
        **{
            f"{name}_{pairs}": value
            for name, logit_table in zip(RESTRICTED, restricted, strict=True)
            for pairs, value in _named(logit_fourier.table_losses(logit_table, groups.counts)).items()
        },
        **{
            f"{name}_{pairs}": value
            for i, name in enumerate(EXCLUDED)
            for pairs, value in _named(found.removed[:, i]).items()
        },
        "restricted_loss_each": np.stack(each, axis=1),
        "excluded_loss_each": found.removed[:, len(EXCLUDED) :],
        "key_frequencies": np.array(keys, np.int64),
        "embedding_frequencies": by_embedding.astype(np.int64),
        "logit_frequencies": by_logits.astype(np.int64),
        "logit_frequency_norms": norms,
        "cosine_coefficients": cosines,
        "logit_norm": np.array(_norm(logits)),
        "logit_table": table.astype(np.float32),
        "train_counts": groups.train.sum(axis=1).astype(np.int64),
        **_sparsity(context),
        "sum_squared_weights": np.array(_sum_of_squares(context.weights)),
    }


def keys_of_logits(norms: Float64, *, threshold: float, floor: float) -> npt.NDArray[np.int64]:
    """Frequencies, from 1 on, whose norm in the logits is at least both shares.

    Args:
        norms: of frequency k at k - 1, ((p - 1) / 2,).
        threshold: least multiple of the median.
        floor: least share of the largest, 0 to 1.
    """
    limit = max(threshold * np.median(norms), floor * norms.max())
    return np.flatnonzero((norms >= limit) & (norms > 0)) + 1


def restricted_losses(arrays: Arrays, frequencies: Sequence[int]) -> Float64:
    """The restricted loss for other frequencies: float64 (3,), over train, test and all pairs.

    Args:
        arrays: of a progress_measures artifact.
        frequencies: such as the key frequencies of a later checkpoint.
    """
    table = arrays["logit_table"].astype(np.float64)
    coefficients = logit_fourier.transform(table)
    part = logit_fourier.part_of(coefficients, frequencies)
    counts = logit_fourier.pair_counts(arrays["train_counts"])
    return logit_fourier.table_losses(part + table.mean(axis=0), counts)


def _through_neurons(context: CheckpointContext, groups: Classes, keys: Sequence[int]) -> Float64:
    """What the key frequencies of the neurons' activations contribute to the logits: float64 (p, p)."""
    maps = context.neuron_maps.reshape(len(context.neuron_maps), -1)
    pick = [i for k in keys for i in (2 * k - 1, 2 * k)]
    basis = fourier_basis(context.p)[pick]
    # One column an input: the directions over inputs, so that the maps are read once, as they lie.
    directions = np.empty((maps.shape[1], len(pick)), np.float32)
    directions[groups.rows.reshape(-1)] = np.repeat(basis.T, context.p, axis=0)
    amplitudes = (maps @ directions).astype(np.float64) / context.p
    return basis.T @ (amplitudes.T @ _neuron_logit_map(context))


def _neuron_logit_map(context: CheckpointContext) -> Float64:
    """W_out W_U: float64 (d_mlp, p), the paper's W_L."""
    return context.weight(W_OUT).astype(np.float64) @ context.weight(W_U).astype(np.float64)


def _sparsity(context: CheckpointContext) -> Arrays:
    """Gini coefficients of W_E's and W_L's Fourier norms, by component and by frequency."""
    embedding = context.results[dominant_frequencies.ANALYZER.name]["fourier_norms"]
    norms = np.linalg.norm(_neuron_logit_map(context) @ fourier_basis(context.p).T, axis=0)
    arrays: dict[str, npt.NDArray[np.float64]] = {"neuron_logit_norms": norms}
    for name, components in (("W_E", embedding), ("W_L", norms)):
        arrays[f"gini_{name}_components"] = np.array(gini(components))
        arrays[f"gini_{name}_frequencies"] = np.array(gini(np.hypot(components[1::2], components[2::2])))
    return arrays


def _by_pairs(name: str, values: Float64) -> Arrays:
    return {f"{pairs}_{name}": value for pairs, value in _named(values).items() if pairs != "all"}


def _named(values: Float64) -> dict[str, npt.NDArray[np.float64]]:
    return {pairs: np.array(value) for pairs, value in zip(PAIRS, values, strict=True)}


def _norm(logits: npt.NDArray[np.float32]) -> float:
    # In blocks: a float32 sum over all p³ squares would lose digits, a float64 copy of them memory.
    return float(np.sqrt(sum(float(np.vdot(block, block)) for block in np.array_split(logits, 64))))


def _sum_of_squares(weights: Arrays) -> float:
    # fsum: the weights come in no particular order, and the same checkpoint must give the same bits.
    return math.fsum(float((array.astype(np.float64) ** 2).sum()) for array in weights.values())


def describe(arrays: Arrays) -> Metadata:
    """Losses, the paper's two measures, key frequencies."""
    names = ("train_loss", "test_loss", "restricted_loss_test", "excluded_loss_train", "gini_W_E_components")
    keys = " ".join(map(str, arrays["key_frequencies"].tolist())) or "none"
    return {**{name: float(arrays[name]) for name in names}, "key_frequencies": keys}


DESCRIPTION = """\
Measures of [Nanda et al. 2023](https://arxiv.org/abs/2301.05217) on the full grid of pairs; w_k = 2πk/p. All
losses are cross-entropies in nats, in float64, over `train`, `test` and `all` pairs (suffix). The paper, its
code and TransformerLens' Grokking demo (*demo* below) differ, so each variant has a name.

**Key frequencies** are those of the checkpoint at hand by a rule (`key_rule`): the dominant frequencies of
W_E (default), those whose norm in the logits stands out (`logits`), or of these the ones with at least 7 % of
the largest norm (`strong_logits`). Of a trained model the first two count remnants, too: take
`strong_logits` in a new study. The paper takes the final model's for all
checkpoints; `restricted_loss_each` and `excluded_loss_each` hold every frequency alone, and `logit_table`
gives the restricted loss of any set, so a series with fixed frequencies needs no new forward pass. Without
key frequencies the restricted loss is that of the mean logits, the excluded loss that of the model.

- `restricted_loss_*`: logits projected on cos, sin(w_k(a+b)) of all key frequencies at once, plus the mean
  logits. The paper's restricted loss (section 5.1), the "trig loss" of its code (there over all pairs).
- `restricted_loss_no_bias_*`: the same without the mean logits.
- `restricted_loss_neurons_*`: neuron activations projected, times W_out W_U, plus the mean logits; the
  direct path is left out. The demo's (there over test pairs).
- `restricted_loss_each`: one frequency alone, plus the mean logits.
- `excluded_loss_*`: logits less those directions, all key frequencies at once, no bias correction. The
  paper's excluded loss (section 5.1), "2D full" in its code (train pairs).
- `excluded_loss_each`: less one frequency alone; "2D" in the paper's code (train pairs).
- `excluded_loss_cosine_*`: less the one direction cos(w_k(a+b-c)) of each key frequency; "3D full" in the
  paper's code (train pairs).
- `excluded_loss_neurons_*`: neuron activations less the directions, the direct path stays; the demo's
  (train pairs).
- `cosine_coefficients`: inner product of the logits with the unit wave cos(w_k(a+b-c)); over `logit_norm`
  it is the demo's cosine similarity.
- `gini_W_E_*`, `gini_W_L_*`: Gini coefficient
  ([Hurley & Rickard 2009](https://arxiv.org/abs/0811.4706)) of the Fourier norms of W_E (tokens 0..p-1) and
  of W_L = W_out W_U along its outputs; over the p components with the constant, as in the paper, or over
  the (p-1)/2 frequencies.
- `sum_squared_weights`: over all parameters.

For subtraction read a − b for a + b. Operations whose answers are not equally frequent, such as
multiplication, are refused: their solution is no sum of phases along a and b.
"""

ANALYZER = Analyzer(
    name=NAME,
    title="Progress measures",
    description=DESCRIPTION,
    code_version="2",
    parameters=Parameters,
    function=compute,
    requires=(dominant_frequencies.ANALYZER.name,),
    arrays={
        "{train,test}_loss": "float64 (), nats",
        "{train,test}_accuracy": "float64 (), 0-1",
        **{f"{name}_{{train,test,all}}": "float64 (), nats" for name in (*RESTRICTED, *EXCLUDED)},
        "restricted_loss_each": "float64 (3, (p-1)/2), nats, [train | test | all, k - 1]",
        "excluded_loss_each": "float64 (3, (p-1)/2), nats, [train | test | all, k - 1]",
        "key_frequencies": "int64 (n,), those used",
        "embedding_frequencies": "int64 (n,), by the rule on W_E",
        "logit_frequencies": "int64 (n,), by the rule on the logits",
        "logit_frequency_norms": "float64 ((p-1)/2,), norm of the logits along cos, sin(w_k(a+b))",
        "cosine_coefficients": "float64 ((p-1)/2,), of the unit vector along cos(w_k(a+b-c))",
        "logit_norm": "float64 (), of all logits",
        "logit_table": "float32 (p, p), mean logits by answer and output",
        "train_counts": "int64 (p,), pairs of each answer that train",
        "neuron_logit_norms": "float64 (p,), Fourier norms of W_L: constant, cos 1, sin 1, ...",
        "gini_{W_E,W_L}_{components,frequencies}": "float64 (), 0-1",
        "sum_squared_weights": "float64 ()",
    },
    describe=describe,
    refuses=unequal_answers,
)
