"""The loop: changes in the cluster become keys in a queue, and a supervisor reconciles one key at a time.

`handlers` is what kopf loads; `service.Service` is the operator; `supervisor` takes keys from `workqueue` and gives
each to `reconciler`, which asks backends (`preflight`), shares out the run slots (`run_slots`) and makes Jobs
(`job_creation`). `census` compares what watches show with what lists have, `probes` answers the kubelet, and
`kopf_startup` and `kopf_watching` mend what kopf has no setting for.
"""
