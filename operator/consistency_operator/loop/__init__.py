"""The loop: events become keys in a queue, and a supervisor reconciles one key at a time."""
