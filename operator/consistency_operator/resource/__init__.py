"""The resource: the check, its status, and the reasons that its conditions and events have.

`check.Resource` is one `SiteConsistencyCheck` without its status, `status.CheckStatus` the status as a typed model,
which `status_reading` makes from what is there, and `reasons` lists every condition, reason and event.
"""
