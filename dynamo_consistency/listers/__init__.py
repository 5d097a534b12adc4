"""Listers: one file each, one small interface (`contract.py`), walked by `walk.py`."""
