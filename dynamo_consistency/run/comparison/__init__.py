"""The comparison stage: two snapshots and a listing become findings, by the rules in `comparison.sql`."""
