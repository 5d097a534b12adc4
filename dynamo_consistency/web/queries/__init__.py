"""Questions to the Parquet files of runs: bounded in memory, time and number, with bound values only."""
