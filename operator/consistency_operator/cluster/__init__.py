"""The cluster: what is asked of the API server, and what its Jobs and pods say."""
