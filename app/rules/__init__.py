"""The pure core: facts and a moment in, verdicts out. Standard library only; no I/O, no wall clock, no logging."""
