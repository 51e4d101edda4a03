"""`slawatch schema`."""

import json

import typer
from typer.testing import CliRunner

from app.cli.schema import command
from app.config.jsonschema import json_schema

app = typer.Typer()
app.command()(command)


def test_the_schema_is_printed_as_json() -> None:
    result = CliRunner().invoke(app)

    assert (0, json_schema()) == (result.exit_code, json.loads(result.stdout))
