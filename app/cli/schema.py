"""`slawatch schema`: the JSON Schema of the configuration document, for editors."""

import json

import typer

from app.config.jsonschema import json_schema


def command() -> None:
    """Print the JSON Schema of the configuration document.

    Save it as slawatch.schema.json beside the document, whose first line names it for editors:
    # yaml-language-server: $schema=./slawatch.schema.json
    """
    typer.echo(json.dumps(json_schema(), indent=2))
