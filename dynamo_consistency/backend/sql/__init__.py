"""Databases of others, for the backends that read them: engines with credentials, read-only views, errors in words."""
