"""The cluster: what is asked of the API server, and what its answers mean.

`api` sends requests, with the credentials of `credentials`; `cache` keeps checks and Jobs in the newest version known,
each as its `digest`.
The rest is pure: `job_state` says what has become of a Job, from its `pods` and the `worker_result` that each has left;
`diagnosis` puts into a sentence what went wrong.
"""
