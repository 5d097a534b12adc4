"""The settings of the operator: environment variables, read once at its start.

Every wrong or unknown variable is a ConfigurationError with one sentence: a name with a typo is never silently ignored.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.notify.events import EVENTS, Event
from dynamo_consistency.suggestions import did_you_mean

VARIABLE_PREFIX = "CONSISTENCY_"

_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)|_PORT(_\d+_(TCP|UDP)(_\w+)?)?$")
"""Kubernetes sets such variables for every Service of the namespace; a Service may be called consistency-something."""
_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


def _words(text: Any) -> Any:
    return tuple(re.split(r"[\s,]+", text.strip(", \n"))) if isinstance(text, str) and text.strip(", \n") else ()


def _address(text: Any) -> Any:
    host, colon, port = str(text).rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError("must be an address and a port, such as 0.0.0.0:8080")
    return host or "0.0.0.0", int(port)  # noqa: S104 (probes and scrapers come from other pods and nodes)


def _user(text: Any) -> Any:
    return None if text == "namespace" else text


NamespaceName = Annotated[str, Field(pattern=_LABEL)]
ListenAddress = Annotated[tuple[str, int], BeforeValidator(_address)]
AtLeastOne = Annotated[int, Field(ge=1)]


class OperatorSettings(BaseModel):
    """Each field is the environment variable `CONSISTENCY_` and its name in capitals. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Annotated[str, Field(min_length=1)] = Field(description="Image of the workers.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="When the kubelet pulls the workers' image."
    )
    service_account: str = Field("", description="ServiceAccount of the workers; empty: the namespace's default one.")
    worker_user: Annotated[int | None, BeforeValidator(_user)] = Field(
        10001,
        ge=1,
        le=2**31 - 1,
        description="Uid and gid of the workers; namespace: those that their namespace gives them (OpenShift).",
    )
    backends_secret: Annotated[str, Field(min_length=1)] = Field(
        "consistency-backends", description="Secret with backends.yaml, mounted in every worker."
    )
    backends: str = Field(
        "/etc/consistency/backends.yaml", description="The operator's own mount of that Secret, for check_site."
    )
    store_claim: str | None = Field(
        "consistency-data", description="PersistentVolumeClaim of checks that name no store, in their namespace."
    )
    store_url: str | None = Field(None, description="An fsspec URL, instead of a claim.")
    namespaces: Annotated[tuple[NamespaceName, ...], BeforeValidator(_words)] = Field(
        (), description="Namespaces that are served, separated by commas; none: the whole cluster."
    )
    max_concurrent_runs: AtLeastOne = Field(20, description="Runs that may be on at the same time in all namespaces.")
    preflight_seconds: AtLeastOne = Field(60, description="Time that a backend has to say whether a site is ready.")
    max_concurrent_preflights: AtLeastOne = Field(2, description="Sites that one backend is asked about at a time.")
    health_listen: ListenAddress = Field(("0.0.0.0", 8080), description="Where probes are served.")  # noqa: S104
    metrics_listen: ListenAddress = Field(("0.0.0.0", 9090), description="Where /metrics is served.")  # noqa: S104
    notify_urls_file: str = Field(
        "", description="File with apprise URLs, one a line, that are told of runs; empty: nobody is."
    )
    notify_events: Annotated[tuple[Event, ...], BeforeValidator(_words)] = Field(
        EVENTS, description="What they are told."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING"] = Field("INFO", description="What goes to the log.")

    @model_validator(mode="before")
    @classmethod
    def _no_url(cls, given: dict[str, str]) -> dict[str, str]:
        if "://" in given.get("notify_urls_file", ""):
            raise ValueError(
                "CONSISTENCY_NOTIFY_URLS_FILE must be the path of a file with URLs, not a URL: that is a secret"
            )
        return given

    @model_validator(mode="before")
    @classmethod
    def _one_store(cls, given: dict[str, str]) -> dict[str, Any]:
        if "store_url" not in given:
            return dict(given)
        if "store_claim" in given:
            raise ValueError("CONSISTENCY_STORE_CLAIM and CONSISTENCY_STORE_URL are both set: say which one is meant")
        return given | {"store_claim": None}


def read_settings(environment: Mapping[str, str]) -> OperatorSettings:
    """The settings in `environment`. Raises ConfigurationError: a sentence for each variable that is wrong."""
    known = {f"{VARIABLE_PREFIX}{name.upper()}": name for name in OperatorSettings.model_fields}
    given = {name: value for name, value in environment.items() if name.startswith(VARIABLE_PREFIX) and value.strip()}
    problems = [_unknown(name, known) for name in given if name not in known and not _SERVICE_LINK.search(name)]
    try:
        settings = OperatorSettings.model_validate({known[name]: given[name] for name in given if name in known})
    except ValidationError as error:
        problems += [_sentence(problem) for problem in error.errors()]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def _unknown(name: str, known: Mapping[str, str]) -> str:
    hint = did_you_mean(name, known)
    return f"{name}: there is no such setting; {hint}" if hint else f"{name}: there is no such setting"


def _sentence(problem: Any) -> str:
    if not problem["loc"]:
        return str(problem["ctx"]["error"])
    name = f"{VARIABLE_PREFIX}{str(problem['loc'][0]).upper()}"
    match problem["type"]:
        case "missing":
            description = OperatorSettings.model_fields[problem["loc"][0]].description
            return f"{name} is not set: {description}"
        case "value_error":
            return f"{name}={problem['input']}: {problem['ctx']['error']}"
        case _:
            return f"{name}={problem['input']}: {str(problem['msg']).replace('Input should', 'must')}"
