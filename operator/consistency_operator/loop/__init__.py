"""The loop: changes in the cluster become keys in a queue, and a supervisor reconciles one key at a time.

`handlers` is what kopf loads; `service.Service` is the operator; `supervisor` takes keys from `workqueue` and gives
each to `reconciler`, which asks backends (`preflight`), shares out the run slots (`run_slots`) and makes Jobs
(`job_creation`).
"""
