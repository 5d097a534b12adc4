"""Reads the inventory of a site to its end and keeps nothing, which is the stream without the snapshot's file.

python read_inventory.py BACKENDS_FILE SITE
"""

import sys

from dynamo_consistency.backend import backends_file, optional_features

backend = backends_file.open_backend(backends_file.read(sys.argv[1]), "default")
optional_features.describe(backend)
if len(sys.argv) > 2:
    print(sum(batch.num_rows for batch in optional_features.stream(backend, sys.argv[2])))
