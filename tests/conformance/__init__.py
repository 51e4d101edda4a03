"""Runs case files against the engine: `python -m tests.conformance FILE [--kind KIND ...]`.

A case file is JSON: `{"schema": {...}, "cases": [{"id", "kind", "expect": {...}, "peculiar"?, ...inputs by kind}]}`. Each kind is one
module of `tests.conformance.kinds`, found by its name: `answer(case)` puts the inputs to the public engine and returns what it says,
under the keys of `expect`. The runner compares, and knows neither SLAs nor any particular case. A refusal of the engine answers
`{"error": its code}`. Cases with `peculiar: true` show how one helpdesk differs: they are run and reported, but not scored.
"""
