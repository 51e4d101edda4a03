"""`python -m tests.conformance FILE [--kind KIND ...]`. Exit code: 0 every scored case passed, 1 some failed, 2 the file cannot be used."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.case_files import UnusableFile, read_cases
from tests.conformance.runner import all_passed, report, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the cases, prints the report, returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        cases = [case for case in read_cases(options.file) if not options.kind or case["kind"] in options.kind]
        if not cases:
            raise UnusableFile(f"{options.file} has no case to run")
    except UnusableFile as error:
        print(error, file=sys.stderr)
        return 2
    outcomes = run(cases)
    print("\n".join(report(outcomes)))
    return 0 if all_passed(outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description="Runs a case file against the engine.")
    parser.add_argument("file", type=Path, help="the case file (JSON)")
    parser.add_argument("--kind", action="append", help="only this kind; may be repeated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
