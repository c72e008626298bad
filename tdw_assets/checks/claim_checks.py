"""The claims of a study as checks of its report: one for each claim, green only where it is supported."""

import re
from collections.abc import Iterator

import dagster as dg

from tdw.errors import TdwError
from tdw.reports.study_report import NAME
from tdw.store import Store
from tdw.study.claims import Claim
from tdw_assets.assets.links import Metadata
from tdw_assets.cells.partitions import with_registered
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets


def check_claims(
    wanted: WantedAssets, store: Store, key: dg.AssetKey, selected: set[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the claims by the tables that are there; never an error, since a claim is no fault of a run.

    Args:
        key: of the report that states the claims.
    """
    from tdw.reports.claims.registry import judge_all
    from tdw.reports.evidence import read_evidence

    study = wanted.study
    claims = [claim for claim in study.claims if dg.AssetCheckKey(key, check_name(claim)) in selected]
    try:
        configs = [wanted.family.parse_variant(variant) for variant in wanted.variants]
        evidence = read_evidence(
            store, wanted.family, configs, early_epoch=study.early_epoch, last_epoch=study.epochs
        )
        judged = judge_all(evidence, wanted.family, claims)
    except TdwError as error:
        for claim in claims:
            yield _result(key, claim, passed=False, metadata={"verdict": "not judged", "why": str(error)})
        return
    for found in judged:
        metadata = {
            "verdict": found.verdict,
            "what was found": found.answer,
            "rule": found.rule,
            **({found.control_title or "control": found.control} if found.control else {}),
            **({"what this can't say": found.limits} if found.limits else {}),
            "numbers": dg.MetadataValue.json(found.to_json()["numbers"]),
        }
        yield _result(key, found.claim, passed=found.verdict == "supported", metadata=metadata)


def _result(key: dg.AssetKey, claim: Claim, *, passed: bool, metadata: Metadata) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=check_name(claim),
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def check_name(claim: Claim) -> str:
    """The claim's id in letters that Dagster takes."""
    return "claim_" + re.sub(r"\W", "_", claim.id)


def claim_checks(wanted: WantedAssets) -> list[dg.AssetChecksDefinition]:
    """One check for each claim, in one op; none for a study without claims or without a report."""
    reported = any(product.name == f"reports/{NAME}" for product in wanted.products)
    if not reported or not wanted.study.claims:
        return []
    key = wanted.key(f"reports/{NAME}")

    @dg.multi_asset_check(
        name=wanted.named("check_claims"),
        specs=[
            dg.AssetCheckSpec(
                check_name(claim),
                asset=key,
                description=f"{claim.question or claim.claim} Passes where the rule of the study finds the "
                "claim supported; a warning says that it is contradicted, or undecided so far.",
            )
            for claim in wanted.study.claims
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, store: StoreResource):
        live = with_registered(wanted, context.instance)
        yield from check_claims(live, store.open(), key, set(context.selected_asset_check_keys))

    return [check]
