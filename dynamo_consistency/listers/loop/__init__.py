"""One thread for many connections: the loop, what it waits for, and tasks that wait on it."""
