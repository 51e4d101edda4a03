"""`python -m benchmarks NAME [--db sqlite|postgres] [--json] [--quick]`. Exit code: 0 every goal met, 1 one missed, 2 no such benchmark."""

import argparse
import gc
import importlib
import json
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from inspect import signature

import benchmarks
from app.cli._collector import THRESHOLDS
from benchmarks import Figure, Report


def names() -> list[str]:
    """The benchmarks there are, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one benchmark, prints its report, returns the exit code."""
    options = _parser().parse_args(arguments)
    run = importlib.import_module(f"benchmarks.{options.name}").run
    gc.set_threshold(*THRESHOLDS)
    with_database = {"db": options.db} if "db" in signature(run).parameters else {}
    report: Report = run(quick=options.quick, **with_database)
    print(json.dumps(asdict(report)) if options.json else "\n".join(_lines(report)))
    return 1 if any(row.met is False for row in report.rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures one part of the service.")
    parser.add_argument("name", choices=names())
    parser.add_argument("--db", choices=("sqlite", "postgres"), default="sqlite", help="on which database, where there is one in it")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quick", action="store_true", help="less work, rougher figures")
    return parser


def _lines(report: Report) -> list[str]:
    width = max(len(row.case) for row in report.rows)
    return [*(f"{row.case:<{width}}  {row.value:>12,.2f} {row.unit:<10} {_verdict(row)}".rstrip() for row in report.rows), *report.notes]


def _verdict(row: Figure) -> str:
    against = "" if row.ratio is None or row.anchor is None else f"{row.ratio:.2f} x the anchor ({row.anchor:,.2f})"
    goal = "" if row.goal is None else f"goal {row.goal}: {'met' if row.met else 'MISSED'}"
    return "; ".join(part for part in (against, goal) if part)


if __name__ == "__main__":
    sys.exit(main())
