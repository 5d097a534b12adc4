"""Charts as SVG: pure functions from numbers to markup; every name is escaped, and every place is in the picture."""
