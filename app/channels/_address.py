"""A channel's address, as the document gives it: a secret, judged by what no allow-list could permit."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr

from app.guard import check_url


def _checked(url: SecretStr) -> SecretStr:
    check_url(url.get_secret_value())  # Blocked is a ValueError and never quotes a path or query
    return url


Url = Annotated[SecretStr, AfterValidator(_checked)]
"""An http(s) URL whose spelling the address guard accepts. Where it leads is judged when it is dialled."""
