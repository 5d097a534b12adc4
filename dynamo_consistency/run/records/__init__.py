"""What stays of a run: its summary, the history of a site's runs, and which of them may go."""
