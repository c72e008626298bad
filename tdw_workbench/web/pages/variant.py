"""The page of a variant: its configuration, how far it is, its curves, and where else to look."""

from __future__ import annotations

import json
from itertools import pairwise

from starlette.requests import Request
from starlette.responses import Response

from tdw.drawing.style import CONFIG
from tdw.families import Family, get_family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.common.training_curves import NAME as CURVES
from tdw.recipes.family import VariantConfig, fields_of
from tdw.study import Study
from tdw_workbench.web.data.now import work_now
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.templates import render
from tdw_workbench.web.pages.plot import Asked
from tdw_workbench.web.pages.rows import cell, last_epoch, row_of


def page(request: Request) -> Response:
    """Everything about one variant. Raises NotFound for one that is neither stored nor part of a study."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ("theme",))
    family = get_family(params.family_of(request))
    variant = params.known_variant_of(request, library, family)
    study = library.study_of(family.name, variant)
    place = f"{family.name}/{variant}"
    row = row_of(library, family, variant, study, now=work_now(library).get(place))
    dagster = library.settings.dagster_url
    return render(
        request,
        "variant.html",
        this=Asked(library, family.name, variant, CURVES),
        row=row,
        cell=cell,
        brief=False,
        family=family,
        study=study,
        last=last_epoch([row], study),
        step=_step(study) if study else 1,
        plot=catalog_of(family).plot(CURVES, scope="variant"),
        fields=configuration(family, family.parse_variant(variant)),
        config=json.dumps(dict(CONFIG)),
        runs=links.runs_page(dagster, variant),
        asset=links.asset_page(dagster, study, ("checkpoint",)),
    )


def _step(study: Study) -> int:
    """A distance of checkpoints to begin with: a tenth of the widest between those of the schedule."""
    gaps = [after - before for before, after in pairwise(study.epoch_list)]
    return max(1, max(gaps, default=1) // 10)


def configuration(family: Family, config: VariantConfig) -> list[tuple[str, str, str, bool]]:
    """Name, value, meaning and whether it differs from the default, of every parameter of the family."""
    values = fields_of(config)
    return [
        (field.name, str(values.get(field.name, "")), field.help, values.get(field.name) != field.default)
        for field in family.fields
    ]
