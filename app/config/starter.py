"""The document that `slawatch init` writes."""

from importlib.resources import files


def starter_text() -> str:
    """The commented starter document, ready to use as it is."""
    return (files("app.config") / "starter.yaml").read_text(encoding="utf-8")
