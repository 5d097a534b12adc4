"""A whole run over a site that is an object store."""

import json
import time

from real_command import run_command

CHECK = """
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: my-site}}
spec:
  site: T2_S3
  listing:
    source: {{s3: {{url: "{url}/site", endpoint: "{endpoint}"}}}}
    roots: [{{path: /store/mc}}]
  comparison: {{ignoreAgeSeconds: 0}}
"""


def test_a_run_tells_what_is_missing_what_differs_and_what_nobody_knows(store, tmp_path):
    store.put(
        "site/store/mc/A/kept", "site/store/mc/A/cut", "site/store/mc/Era/Primary/AOD/tag-v1/dark", "site/store/mc//odd"
    )
    written = max(file.mtime for file in store.lister("site").answer(b"/store/mc/A").files)
    while time.time() <= written + 1:  # what was written in the same second is young
        time.sleep(0.1)
    (tmp_path / "check.yaml").write_text(CHECK.format(url=store.url, endpoint=store.endpoint))
    (tmp_path / "files.tsv").write_text("".join(f"/store/mc/{name}\t3\n" for name in ("A/kept", "A/lost", "odd")))
    (tmp_path / "files.tsv").open("a").write("/store/mc/A/cut\t4\n")

    def run(*arguments: str) -> str:
        done = run_command([*arguments], tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("inventory", "init")
    run("inventory", "import", "T2_S3", "files.tsv")
    counts = json.loads(run("run", "-f", "check.yaml", "--output", "json"))["counts"]
    assert (counts["missing"], counts["mismatches"], counts["orphans"], counts["emptyDirectories"]) == (1, 1, 1, 0)
    assert run("findings", "T2_S3", "--kind", "missing") == "/store/mc/A/lost\n"
    assert run("findings", "T2_S3", "--kind", "orphan") == "/store/mc/Era/Primary/AOD/tag-v1/dark\n"
