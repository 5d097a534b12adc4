"""Notifications: what a person should know of a run is sent to addresses that a file names.

`events` decides what is news, `messages` says it in words, and `process` sends it by a process of its own: one that
hangs is ended, and only there are the addresses read, which are secrets. Whatever goes wrong is one line of the log; a
run never fails for it.
"""
