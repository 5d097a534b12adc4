"""Lists the site of a run directory as `dynamo-consistency run` does: by as many processes as help."""

import sys

from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.local_listing import list_site
from dynamo_consistency.run.store.run_directory import RunDirectory

if __name__ == "__main__":
    list_site(RunDirectory(sys.argv[1]), None, Progress("listing"))
