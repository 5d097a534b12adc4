"""What goes wrong in the middle of a comparison ends in one sentence."""

import os


def test_too_little_memory_is_a_sentence_and_the_stage_can_be_run_again(drifted):
    folder = str(drifted.store / "T2_Test" / "by-hand")
    drifted.run("stage", "snapshot", "--run-dir", folder, "-f", "check.yaml", store=False)
    for shard in ("0", "1", "2"):
        drifted.run("stage", "listing", "--run-dir", folder, "--shard", shard, store=False)
    little = os.environ | {"DYNAMO_CONSISTENCY_MEMORY_LIMIT": "2Mi"}
    drifted.run("stage", "comparison", "--run-dir", folder, store=False, exit_code=1, env=little)
    assert "too little memory" in drifted.complaint
    assert "Traceback" not in drifted.complaint
    drifted.run("stage", "comparison", "--run-dir", folder, store=False)


def test_a_comparison_that_comes_too_early_leaves_the_second_snapshot_for_after_the_listing(drifted):
    folder = drifted.store / "T2_Test" / "by-hand"
    drifted.run("stage", "snapshot", "--run-dir", str(folder), "-f", "check.yaml", store=False)
    drifted.run("stage", "listing", "--run-dir", str(folder), "--shard", "0", store=False)
    drifted.run("stage", "comparison", "--run-dir", str(folder), store=False, exit_code=1)
    assert not (folder / "inventory/after.json").exists()
    for shard in ("1", "2"):
        drifted.run("stage", "listing", "--run-dir", str(folder), "--shard", shard, store=False)
    drifted.run("stage", "comparison", "--run-dir", str(folder), store=False)
    assert (folder / "inventory/after.json").exists()


def test_a_memory_limit_that_is_no_size_is_wrong_usage(drifted):
    wrong = os.environ | {"DYNAMO_CONSISTENCY_MEMORY_LIMIT": "lots"}
    drifted.run("run", "-f", "check.yaml", exit_code=2, env=wrong)
    assert "such as 1536Mi" in drifted.complaint


def test_a_filter_of_a_backend_that_fails_makes_the_run_invalid(drifted):
    (drifted.folder / "odd_backend.py").write_text(BACKEND.format(site=drifted.folder / "site"))
    (drifted.folder / "backends.yaml").write_text("backends: {default: {type: module, module: odd_backend}}\n")
    found = os.environ | {"PYTHONPATH": str(drifted.folder)}
    told = drifted.run("run", "-f", "check.yaml", "--backends", "backends.yaml", exit_code=1, env=found)
    assert "invalid" in told
    assert "no idea" in told


BACKEND = """
class DatasetFilter:
    def __init__(self, datasets): pass
    def protected(self, filename): raise RuntimeError("no idea")
class inventory:
    protected_datasets = staticmethod(lambda site: set())
    list_files = staticmethod(lambda site: [("/store/mc/Era/Primary/AOD/v1/0000/file_0.root", 100, None)])
class registry:
    delete = transfer = staticmethod(lambda site, files: None)
class siteinfo:
    site_list = ready_sites = staticmethod(lambda: {{"T2_Test"}})
def check_site(site): return True
def deletion_requests(site): return set()
def filelist_to_blocklist(site, infile, outfile): open(outfile, "w").close()
def get_listers(site): return None, []
"""
