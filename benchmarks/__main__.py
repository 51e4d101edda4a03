"""`python -m benchmarks NAME [--json] [--quick]`. Exit code: 0 every goal met, 1 one missed, 2 no such benchmark."""

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import asdict

import benchmarks
from benchmarks import Figure, Report


def names() -> list[str]:
    """The benchmarks there are, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one benchmark, prints its report, returns the exit code."""
    options = _parser().parse_args(arguments)
    report: Report = importlib.import_module(f"benchmarks.{options.name}").run(quick=options.quick)
    print(json.dumps(asdict(report)) if options.json else "\n".join(_lines(report)))
    return 1 if any(figure.met is False for figure in report.figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures one part of the service.")
    parser.add_argument("name", choices=names())
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quick", action="store_true", help="less work, rougher figures")
    return parser


def _lines(report: Report) -> list[str]:
    width = max(len(figure.name) for figure in report.figures)
    return [
        *(f"{figure.name:<{width}}  {figure.value:>12,.2f} {figure.unit:<10} {_verdict(figure)}".rstrip() for figure in report.figures),
        *report.notes,
    ]


def _verdict(figure: Figure) -> str:
    return "" if figure.goal is None else f"goal {figure.goal}: {'met' if figure.met else 'MISSED'}"


if __name__ == "__main__":
    sys.exit(main())
