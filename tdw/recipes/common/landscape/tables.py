"""A21, A23 over training: curvature and local learning coefficient by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.recipes.analyzer import Metadata
from tdw.recipes.common.landscape.analyzers import CURVATURE, LEARNING_COEFFICIENT
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd


def curvature(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch; see `CURVATURE_TABLE`."""
    values = inputs.stack(CURVATURE.name, "eigenvalues")
    rises = inputs.stack(CURVATURE.name, "increases")
    around = inputs.stack(CURVATURE.name, "curvatures")
    return inputs.table(
        {
            **{f"eigenvalue_{i + 1}": column for i, column in enumerate(values.T)},
            "largest_residual": inputs.stack(CURVATURE.name, "residuals").max(axis=1),
            "loss": inputs.stack(CURVATURE.name, "loss"),
            "mean_increase": rises.mean(axis=1),
            "median_increase": np.median(rises, axis=1),
            "p10_increase": np.percentile(rises, 10, axis=1),
            "p90_increase": np.percentile(rises, 90, axis=1),
            "max_increase": rises.max(axis=1),
            "flat_share": inputs.stack(CURVATURE.name, "flat_share"),
            "mean_curvature": around.mean(axis=1),
            "std_curvature": around.std(axis=1, ddof=1),
        }
    )


def coefficient(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch; see `COEFFICIENT_TABLE`."""
    name = LEARNING_COEFFICIENT.name
    chains = inputs.stack(name, "by_chain")
    losses = inputs.stack(name, "losses").astype(np.float64)
    burn_in, n_beta = inputs.stack(name, "burn_in"), inputs.stack(name, "n_beta")
    first, last = np.array([_halves(each[:, start:]) for each, start in zip(losses, burn_in, strict=True)]).T
    return inputs.table(
        {
            "learning_coefficient": chains.mean(axis=1),
            "std_over_chains": chains.std(axis=1, ddof=1),
            "lowest_chain": chains.min(axis=1),
            "highest_chain": chains.max(axis=1),
            "drift": n_beta * (last - first),
            "loss": inputs.stack(name, "loss"),
            "distance": inputs.stack(name, "distance").mean(axis=1),
            "n_beta": n_beta,
            "step_size": inputs.stack(name, "step_size"),
            "localization": inputs.stack(name, "localization"),
            "chains": chains.shape[1],
            "burn_in": burn_in,
            "draws": losses.shape[2] - burn_in,
            "seed": inputs.stack(name, "seed"),
        }
    )


def _halves(draws: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    """Mean of the first and of the second half of all chains' draws; (chains, draws) to two numbers."""
    middle = draws.shape[1] // 2
    return float(draws[:, : max(middle, 1)].mean()), float(draws[:, middle:].mean())


def _describe_curvature(table: pd.DataFrame) -> Metadata:
    highest: Any = table.iloc[int(table["eigenvalue_1"].to_numpy().argmax())]
    return {
        "highest_eigenvalue": float(highest["eigenvalue_1"]),
        "highest_at_epoch": int(highest["epoch"]),
        "final_eigenvalue": float(table["eigenvalue_1"].iloc[-1]),
    }


def _describe_coefficient(table: pd.DataFrame) -> Metadata:
    last: Any = table.iloc[-1]
    return {
        "final_learning_coefficient": float(last["learning_coefficient"]),
        "final_std_over_chains": float(last["std_over_chains"]),
    }


CURVATURE_TABLE = Summary(
    name="curvature",
    title="Curvature of the training loss over epochs",
    description="""\
One row per epoch: `eigenvalue_1`, `eigenvalue_2`, ..., the largest of the Hessian of the training loss, and
the largest of their residuals ‖H v − λ v‖; `loss`; mean, median, 10th and 90th percentile and maximum of the
increase of the loss along random directions, and the share with less than 10 % of it (`flat_share`); mean and
standard deviation over directions of the second difference (`mean_curvature`, about tr(H) / n for n weights).
""",
    code_version="1",
    needs=(CURVATURE.name,),
    function=curvature,
    describe=_describe_curvature,
)

COEFFICIENT_TABLE = Summary(
    name="learning_coefficient",
    title="Local learning coefficient over epochs",
    description="""\
One row per epoch: the mean of the chains' estimates, their standard deviation (chains − 1), lowest and
highest; `drift`, the estimate from the second half of the draws less that from the first, which is not far
from 0 where the chains have settled; `loss` at the checkpoint; `distance`, the mean ‖w − w*‖ at the chains'
end; and the settings that the estimate depends on, with the seed.
""",
    code_version="1",
    needs=(LEARNING_COEFFICIENT.name,),
    function=coefficient,
    describe=_describe_coefficient,
)
