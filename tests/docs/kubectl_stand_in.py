"""kubectl where no cluster is: every call is held against our definition, our manifests, and the files that it names.

It answers as if two checks were there; the first, `CHECK`, has a run that waits for an approval.
"""

import functools
import json
import re
import runpy
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from command_line import read_line
from consistency_operator import names
from consistency_operator.crd import crd
from fences import REPOSITORY
from grammar import KUBECTL, Grammar, Line
from rendered_manifests import rendered
from sample_checks import two_sites
from stand_ins import Answer, Call, Refused
from yaml_on_pages import SCHEMA, WHOLE, is_valid, merged

SITES = two_sites()
CHECK: dict[str, Any] = merged(WHOLE, SITES[0])
KIND = f"{names.PLURAL}.{names.API_GROUP}"
KINDS = (
    {KIND} | set(crd.custom_resource_definition()["spec"]["names"]["shortNames"]) | {names.PLURAL, names.KIND.lower()}
)
INSTALLED = ("deploy", "deploy/web", "deploy/overlays/demo")
CONDITIONS = {"Available", "Complete", "Ready", "Running", "Stalled", "Succeeded", "Consistent", "Overlapping"}
GRAMMAR = Grammar("kubectl", KUBECTL)


def kubectl(call: Call) -> Answer:
    if call.arguments[:1] == ["consistency"]:
        return _plugin(call)
    if call.arguments[:1] == ["krew"]:
        return _krew(call)
    line = GRAMMAR.read(call.arguments)
    if not call.whole and not line.rest and not line.options:
        return Answer()  # it is only named
    for folder in line.options.get("kustomize", ()):
        _builds(call, folder)
    for file in line.options.get("filename", ()):
        _is_read(call.stdin if file == "-" else call.file(file).read_text(), call.folder)
    if line.command in JUDGES:
        return JUDGES[line.command](call, line) or Answer()
    if line.rest:
        judge_resource(line.rest)
    return Answer()


@functools.cache
def installed() -> dict[str, dict[str, Any]]:
    """What our manifests and examples make, by kind (as people type it) and name."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    objects = [one for folder in INSTALLED for one in rendered(folder)]
    objects += [yaml.safe_load((REPOSITORY / "examples/look.yaml").read_text())]
    for one in objects:
        found[one["kind"].lower()][one["metadata"]["name"]] = one
    found["configmap"]["argocd-cm"] = {}  # Argo CD's own
    return found


def judge_resource(words: list[str]) -> None:
    """`KIND`, `KIND NAME` or `KIND/NAME`: one of ours, or of those that our manifests make."""
    kind, _, name = words[0].partition("/")
    name, kinds = name or "".join(words[1:2]), kind.removesuffix("s")
    if kind in KINDS:
        return
    if kinds not in installed():
        raise Refused(f"{kind} is none of our kinds, nor of those that deploy/ has")
    if name and name not in installed()[kinds]:
        raise Refused(f"deploy/ has no {kind} {name}")


def _builds(call: Call, folder: str) -> None:
    ours = (REPOSITORY / folder).is_dir()
    if ours or call.whole:
        rendered(folder.rstrip("/") if ours else call.file(folder))


def _is_read(text: str | None, folder: Path) -> None:
    for one in filter(None, yaml.safe_load_all(text or "")):
        if one.get("kind") == names.KIND:
            is_valid(one, folder / ".applied.yaml")
        elif not {"apiVersion", "kind", "metadata"} <= one.keys():
            raise Refused("what is applied is no object")


def _annotate(call: Call, line: Line) -> None:
    judge_resource(line.rest)
    keys = [word.partition("=")[0] for word in line.rest if "=" in word]
    known = (names.ANNOTATION_APPROVE, names.ANNOTATION_REQUESTED_AT)
    if (not keys and len(line.rest) > 1) or not set(keys) <= set(known):
        raise Refused(f"the operator reads the annotations {known}, not {keys}")
    if names.ANNOTATION_APPROVE in keys and not line.one("field_manager"):
        raise Refused("an approval says who gives it: --field-manager")


def _patch(call: Call, line: Line) -> None:
    judge_resource(line.rest)
    if file := line.one("patch_file"):
        _ = yaml.safe_load(call.file(file).read_text())
    elif line.rest[0].partition("/")[0] in KINDS:
        changed = merged(CHECK, json.loads(line.one("patch") or ""))
        changed["spec"] = {key: value for key, value in changed["spec"].items() if value is not None}
        is_valid(changed, call.folder / ".patched.yaml")


def _get(call: Call, line: Line) -> Answer | None:
    if line.one("raw"):
        return None
    if line.rest:
        judge_resource(line.rest)
    output = line.one("output") or ""
    if output == "json":
        return Answer(0, json.dumps({"items": SITES}))
    if output == "yaml":
        return Answer(0, yaml.safe_dump({key: CHECK[key] for key in CHECK if key != "status"}))
    if output.startswith("jsonpath="):
        return Answer(0, f"{at(output.removeprefix('jsonpath='))}\n")
    return None


def at(path: str) -> Any:
    """What the check has at a JSON path, which the definition knows as well."""
    schema, value = SCHEMA, CHECK
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        schema = schema.get("properties", {}).get(name) if name else schema.get("items")
        if schema is None:
            raise Refused(f"the definition has no {path}")
        inner = value[int(index)] if index else value
        value = inner.get(name) if name and isinstance(inner, dict) else inner
    return value


def _wait(call: Call, line: Line) -> None:
    judge_resource(line.rest)
    how, _, what = str(line.one("for")).partition("=")
    if how == "jsonpath":
        at(what.partition("}")[0])
    elif how != "condition" or what.partition("=")[0] not in CONDITIONS:
        raise Refused(f"nothing becomes {how}={what}")


def _explain(call: Call, line: Line) -> None:
    kind, _, path = line.rest[0].partition(".")
    judge_resource([kind])
    schema = SCHEMA
    for name in filter(None, path.split(".")):
        schema = schema["properties"][name]


def _exec(call: Call, line: Line) -> None:
    """What is run in the pod is run here only as far as its command line goes."""
    judge_resource([name if "/" in name else f"pod/{name}" for name in line.rest])
    if line.behind[:1] == ["dynamo-consistency"]:
        read_line(line.behind)


def _secret(call: Call, line: Line) -> None:
    """A Secret that our manifests look for, of files that are there."""
    text = json.dumps(rendered("deploy")) + (REPOSITORY / "deploy/notify/operator.yaml").read_text()
    known = set(re.findall(r"secretName\"?: \"?([\w-]+)", text))
    if not set(line.rest) <= known:
        raise Refused(f"deploy/ mounts the Secrets {sorted(known)}, not {' '.join(line.rest)}")
    for file in line.options.get("from_file", ()):
        call.file(file.partition("=")[2] or file)


def _label(call: Call, line: Line) -> None:
    kind, name, label = line.rest
    key, _, value = label.partition("=")
    if installed()[kind][name]["metadata"]["labels"].get(key) != value:
        raise Refused(f"in deploy/ the {kind} {name} has not the label {label}")


def _ports(call: Call, line: Line) -> None:
    judge_resource(line.rest)
    ports = {str(port["port"]) for port in installed()["service"][line.rest[0].partition("/")[2]]["spec"]["ports"]}
    if line.rest[1].partition(":")[2] not in ports:
        raise Refused(f"{line.rest[0]} has the ports {sorted(ports)}")


def _named(call: Call, line: Line) -> None:
    if line.rest:
        judge_resource(line.rest if "/" in line.rest[0] else [f"pod/{line.rest[0]}"])


def _copy(call: Call, line: Line) -> None:
    _named(call, Line(line.command, {}, [line.rest[0].partition(":")[0]]))


JUDGES: dict[str, Any] = {
    "annotate": _annotate,
    "auth can-i": lambda call, line: None,
    "config set-context": lambda call, line: None,
    "cp": _copy,
    "create secret generic": _secret,
    "exec": _exec,
    "explain": _explain,
    "get": _get,
    "label": _label,
    "logs": _named,
    "patch": _patch,
    "port-forward": _ports,
    "wait": lambda call, line: None if line.options.get("all") else _wait(call, line),
}


def _plugin(call: Call) -> Answer:
    """Our plug-in, where the page has put it; it asks kubectl again, which is us."""
    plugin = shutil.which("kubectl-consistency", path=call.environment["PATH"])
    if plugin is None:
        raise Refused("kubectl-consistency is not on the PATH")
    return call.run(sys.executable, plugin, *call.arguments[1:])


def read_plugin_line(arguments: list[str]) -> None:
    """By the plug-in's own parser; named without anything it is the plug-in itself."""
    script = runpy.run_path(str(REPOSITORY / "deploy/plugin/kubectl-consistency"), run_name="plugin")
    try:
        if arguments:
            script["parser"]().parse_args(arguments)
    except SystemExit as error:
        if error.code:
            raise Refused(f"kubectl consistency takes no {' '.join(arguments)}") from None


def _krew(call: Call) -> Answer:
    manifest, archive = (word.partition("=")[2] for word in call.arguments[2:])
    return Answer(0 if call.file(manifest) and call.file(archive) else 1)
