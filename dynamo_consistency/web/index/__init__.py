"""What is known of all runs: small digests of their summaries, read once and again when they have changed."""
