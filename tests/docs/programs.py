"""What stands in for the programs that the pages call, but for kubectl: they do what can be done here, or judge."""

import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from fences import REPOSITORY
from grammar import COSIGN, HELM, PODMAN, Grammar, Line
from helm_program import CHART, helm, template
from kubectl_stand_in import kubectl
from real_command import COMMAND, run_command
from stand_ins import Answer, Call, Programs, Refused
from web_process import SERVING

IMAGES = re.compile(r"localhost/dynamo-consistency(-demo)?:dev")
EXTRAS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
VARIABLES = set(re.findall(r"\$\(([A-Z0-9_]+)\)", (REPOSITORY / "Makefile").read_text()))


def our_command(call: Call) -> Answer:
    """Really run. What serves begins, on another port, says so, and is told to end."""
    if call.arguments[:1] == ["serve"]:
        return _serve(call)
    if call.stdin is None:
        done = run_command(call.arguments, call.folder, call.environment)
        answer = Answer(done.returncode, done.stdout, done.stderr)
    else:
        answer = call.run(COMMAND, *call.arguments)
    return answer._replace(err=_without_log(answer.err))


def _without_log(said: str) -> str:
    """What a person sees at a terminal: there the log is silent."""
    return re.sub(r"^\d{4}-\d\d-\d\d .* INFO .*\n", "", said, flags=re.MULTILINE)


def _serve(call: Call) -> Answer:
    with subprocess.Popen(
        [COMMAND, *call.arguments, "--listen", "127.0.0.1:0"], cwd=call.folder, env=call.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as service:  # fmt: skip
        assert service.stdout is not None
        said = ""
        for line in service.stdout:
            said += line
            if SERVING.search(line):
                service.send_signal(signal.SIGINT)
                break
        service.wait(60)
    return Answer(0 if SERVING.search(said) else 1, re.sub(r"(127\.0\.0\.1):\d+", r"\1:8080", _without_log(said)))


def curl(call: Call) -> Answer:
    """Asks the web service over the store that is here."""
    from starlette.testclient import TestClient

    from dynamo_consistency.run.store.run_directory import RunStore
    from dynamo_consistency.web.app import application
    from dynamo_consistency.web.guard import Access
    from dynamo_consistency.web.view import open_view

    with open_view(RunStore(str(call.folder / "consistency-data"))) as view:
        answer = TestClient(application(view, Access()), base_url="http://127.0.0.1:8080").get(call.arguments[-1])
    return Answer(0 if answer.status_code == 200 else 22, answer.text)


def make(call: Call) -> None:
    """The target is there, and reads the variables."""
    targets = [word for word in call.arguments if "=" not in word]
    variables = {word.partition("=")[0] for word in call.arguments if "=" in word}
    if not targets or not set(targets) <= TARGETS or not variables <= VARIABLES:
        raise Refused(f"the Makefile has no {' '.join(call.arguments)}")


def pip(call: Call) -> None:
    """What is installed is our package with extras that there are, the clone, or the package of somebody else."""
    for word in call.arguments[1:]:
        ours = re.fullmatch(r"dynamo-consistency\[([\w,]+)\]", word)
        if ours and not set(ours[1].split(",")) <= EXTRAS.keys():
            raise Refused(f"there is no extra {ours[1]}")


def podman(call: Call) -> None:
    line = Grammar("podman", PODMAN).read(call.arguments)
    if not IMAGES.fullmatch(line.rest[0]):
        raise Refused(f"tools/image/build makes no {line.rest[0]}")


def cosign(call: Call) -> None:
    line = Grammar("cosign", COSIGN).read(call.arguments)
    if "@sha256:" not in line.rest[0]:
        raise Refused("a signature is of a digest")


def build_image(call: Call) -> Answer:
    """What the script says at its end, as far as it is the same each time."""
    if not set(call.arguments) <= {"image", "demo"}:
        raise Refused(f"tools/image/build makes no {call.arguments}")
    return Answer(0, "localhost/dynamo-consistency:dev: 447 MB\n")


def our_helm(call: Call) -> Answer:
    """Really run, but for what needs a registry or a cluster: there its values are put into the chart."""
    line = Grammar("helm", HELM).read(call.arguments)
    if not call.whole:
        return Answer()
    if line.command == "package":
        return Answer(0, helm("package", str(call.file(line.rest[0])), *_option(line, "version"), f"-d={call.folder}"))
    if line.command == "push":
        call.file(line.rest[0])
    charts = [word for word in line.rest if word.startswith("oci://")]
    ours = yaml.safe_load((CHART / "Chart.yaml").read_text())["name"]
    if any(Path(word).name not in ("charts", ours) for word in charts):
        raise Refused(f"the chart has another name than {charts}")
    if line.command in ("install", "upgrade", "template"):
        template(*(f"--set={value}" for value in line.options.get("set", ())))
    shown = helm(*line.command.split(), str(CHART)) if line.command.startswith("show") else ""
    return Answer(0, shown)


def _option(line: Line, name: str) -> list[str]:
    return [f"--{name}={value}" for value in line.options.get(name, ())]


def python(call: Call) -> Answer:
    """Ours, so that a script finds what it imports."""
    return call.run(sys.executable, *call.arguments)


def nothing(call: Call) -> None:
    """A program that is named and does something outside of what we know: to the node, to a shell that is not bash."""


PROGRAMS: Programs = {
    "dynamo-consistency": our_command,
    "kubectl": kubectl,
    "helm": our_helm,
    "make": make,
    "pip": pip,
    "podman": podman,
    "cosign": cosign,
    "curl": curl,
    "python3": python,
    "sudo": nothing,
    "tools/image/build": build_image,
}
