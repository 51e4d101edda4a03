"""One module per kind of case: `answer(case) -> {key of expect: what the engine says}`."""
