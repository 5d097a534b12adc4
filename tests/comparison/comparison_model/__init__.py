"""What the tests of the comparison share: cases, the plain Python reference of the rules, and how the engine is run."""
