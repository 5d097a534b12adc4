"""What a person at a terminal sees of runs and findings; on stdout, plain and unfolded where stdout is no terminal."""

from dynamo_consistency.terminal.findings import show_findings
from dynamo_consistency.terminal.path_history import FILE_COLUMNS, show_file
from dynamo_consistency.terminal.runs import RUN_COLUMNS, run_row, show_runs
from dynamo_consistency.terminal.summary import show_summary

__all__ = ["FILE_COLUMNS", "RUN_COLUMNS", "run_row", "show_file", "show_findings", "show_runs", "show_summary"]
