"""What a person starts from our pages. Nothing is done here: the pages ask Dagster, on the same origin, and
what they have to ask it for is told here.
"""

from __future__ import annotations

from rich.filesize import decimal
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig, NotFound
from tdw.families import Family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import Field, VariantConfig, fields_of
from tdw.study import Study
from tdw.training.progress import format_seconds
from tdw_workbench.web.data.estimate import estimate, estimate_more
from tdw_workbench.web.data.runs import REPOSITORY, Runs
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.templates import render

_NEVER = {"Cache-Control": "no-store"}
_GIVE = {int: "a whole number", float: "a number", str: "a name"}


def new(request: Request) -> Response:
    """The form for a new variant of a study, made from the fields of its family.

    With `like`, the key of another variant, its fields are as there.
    """
    library, study, _ = _asked(request)
    params.require_known(request, ("study", "theme", "like"))
    family, like = study.family_declaration, request.query_params.get("like", "")
    given = fields_of(family.parse_variant(like)) if like else {}
    return render(
        request,
        "new.html",
        study=study,
        family=family,
        like=like,
        values={
            field.name: given.get(field.name, "" if field.default is None else field.default)
            for field in family.fields
        },
        partitions=f"{study.name}_variants",
        repository=REPOSITORY,
        library=library,
    )


def configure(request: Request) -> Response:
    """What a form's values come to, as JSON: the key, whether it is there, what it takes.

    Raises:
        BadConfig: a value that can't be used; says which, and the nearest that can.
    """
    library, study, runs = _asked(request)
    family = study.family_declaration
    params.require_known(request, ("study", *(field.name for field in family.fields)))
    config = _read(family, request)
    catalog_of(family).require_suited(library.wanted(study).analyzers, config)
    guess = estimate(library, study, config)
    return JSONResponse(
        {
            "key": config.key,
            "there": config.key in runs.registered(study),
            "time": format_seconds(guess.seconds),
            "disk": decimal(guess.nbytes),
            "like": guess.like,
        },
        headers=_NEVER,
    )


def densify(request: Request) -> Response:
    """What more checkpoints of a variant come to, as JSON: how many are new, and what they take.

    Raises:
        BadConfig: `epochs` is no list of epochs, or goes beyond the study's last.
    """
    library, study, runs = _asked(request)
    params.require_known(request, ("study", "epochs"))
    more = runs.more_checkpoints(
        study, library.store, _variant(request, library, study), _epochs(request, study)
    )
    guess = estimate_more(library, study, more)
    return JSONResponse(
        {
            "checkpoints": len(more.checkpoints),
            "analyses": more.analyses,
            "steps": more.steps,
            "time": format_seconds(guess.seconds),
            "disk": decimal(guess.nbytes),
        },
        headers=_NEVER,
    )


def plan(request: Request) -> Response:
    """What Dagster is to be asked for, as JSON (`ExecutionParams`), so that a variant starts or goes on; with
    `epochs`, so that it has these too.
    """
    library, study, runs = _asked(request)
    params.require_known(request, ("study", "epochs"))
    variant = _variant(request, library, study)
    if "epochs" in request.query_params:
        asked = runs.densifying_run(study, library.store, variant, _epochs(request, study))
    else:
        asked = runs.next_run(study, library.store, variant)
    return JSONResponse(asked, headers=_NEVER)


def remove(request: Request) -> Response:
    """What goes when a variant, or with `extra` its extra checkpoints, are removed, in words as `tdw remove`
    prints them, and what Dagster has to be asked for, as JSON.
    """
    library, study, runs = _asked(request)
    params.require_known(request, ("study", "extra"))
    variant, extra = _variant(request, library, study), "extra" in request.query_params
    lines = runs.what_would_go(study, library.store, variant, extra=extra)
    ask = runs.removing_run(study, variant, extra=extra)
    return JSONResponse({"lines": lines, "ask": ask}, headers=_NEVER)


def _variant(request: Request, library: StoreCache, study: Study) -> str:
    return params.one_of(request.path_params["variant"], library.known_variants(study), what="variant")


def _epochs(request: Request, study: Study) -> tuple[int, ...]:
    text = request.query_params.get("epochs", "")
    epochs = parse_epochs(text)
    if epochs[-1] > study.epochs:
        raise BadConfig(
            f"{text[:80]!r} goes beyond epoch {study.epochs}, the last one of study {study.name}",
            f"give epochs from 0 to {study.epochs}; to train longer, raise `epochs` in the study file",
        )
    return epochs


def _asked(request: Request) -> tuple[StoreCache, Study, Runs]:
    """The study that a request names.

    Raises:
        NotFound: there is no such study here.
        BadConfig: the pages are not on Dagster's server, which would do the work.
    """
    library: StoreCache = request.app.state.library
    family = params.family_of(request)
    name = request.query_params.get("study", "")
    study = next((each for each in library.studies if each.name == name and each.family == family), None)
    if study is None:
        have = ", ".join(each.name for each in library.studies if each.family == family) or "none"
        raise NotFound(f"there is no study {name[:80]!r} of {family}", f"there is: {have}")
    if library.runs is None:
        raise BadConfig(
            "this server only shows results: Dagster is not behind it",
            "open the page that `tdw up` serves, or use `tdw fill --variant KEY`",
        )
    return library, study, library.runs


def _read(family: Family, request: Request) -> VariantConfig:
    return family.make_config(
        **{field.name: _value(field, request.query_params.get(field.name, "")) for field in family.fields}
    )


def _value(field: Field, text: str) -> int | float | str:
    text = text.strip()
    if not text:
        if field.default is None:
            raise BadConfig(f"{field.name} is missing", f"give {_GIVE[field.type]}: {field.help}")
        return field.default
    try:
        return field.type(text)
    except ValueError:
        raise BadConfig(f"{field.name} is {text[:80]!r}", f"give {_GIVE[field.type]}: {field.help}") from None
