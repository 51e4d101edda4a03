"""Signed webhooks: what is posted, and that others can verify it."""

from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
from pydantic import SecretStr, ValidationError

from app.channels.webhook import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Retry
from app.signing import new_key_pair, new_secret, verify
from app.timesource import utc_now
from tests.channels.notices import AT, notice

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def config(**changed: Any) -> Config:
    return Config.model_validate({"url": "https://hooks.example.com/sla", "secrets": [SECRET], **changed})


def test_the_body_is_the_events_own_bytes_under_its_stable_id() -> None:
    said = notice()
    first, again = (render(said, config(), at) for at in (AT, AT + timedelta(hours=2)))

    assert first.body is said.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == "msg_1"
    assert (first.headers["webhook-timestamp"], again.headers["webhook-timestamp"]) == ("1795253404", "1795260604")
    assert first.headers["webhook-signature"] != again.headers["webhook-signature"]


def test_an_independent_library_verifies_every_key_of_a_rotation() -> None:
    keys = [new_secret(), new_secret(), SECRET]
    request = render(notice(), config(secrets=keys), utc_now())

    for key in keys:
        assert standardwebhooks.Webhook(key).verify(request.body, dict(request.headers))["type"] == "sla.breached"


def test_an_ed25519_key_signs_for_its_public_half() -> None:
    private, public = new_key_pair()
    request = render(notice(), config(secrets=[private]), AT)
    headers = request.headers

    verify(
        public,
        id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        signature=headers["webhook-signature"],
        body=request.body,
        now=AT,
    )


def test_one_secret_may_be_written_without_a_list() -> None:
    single = Config.model_validate({"url": "https://hooks.example.com/sla", "secret": SECRET})

    assert single.secrets == config(secrets=SECRET).secrets == [SecretStr(SECRET)]


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        [SECRET] * 4,
        ["plain"],
        ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY="],  # 23 bytes
        ["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="],
    ],
)
def test_a_channel_has_one_to_three_keys_that_can_sign(secrets: list[str]) -> None:
    with pytest.raises(ValidationError):
        config(secrets=secrets)


def test_secret_and_secrets_together_are_an_error() -> None:
    with pytest.raises(ValidationError):
        config(secret=SECRET)


def test_headers_of_the_operators_own_are_sent() -> None:
    request = render(notice(), config(headers={"Authorization": "Bearer x", "X-Team": "ops"}), AT)

    assert (request.headers["authorization"], request.headers["x-team"]) == ("Bearer x", "ops")


@pytest.mark.parametrize("headers", [{"Host": "x"}, {"webhook-id": "x"}, {"X-A": "a\r\nb: c"}, {"X-A": "1", "x-a": "2"}])
def test_headers_that_would_change_the_message_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        config(headers=headers)


def test_older_receivers_get_their_signature_beside_ours() -> None:
    headers = render(notice(), config(hub_signature_256="It's a Secret to Everybody"), AT).headers

    assert headers["x-hub-signature-256"].startswith("sha256=")
    assert headers["webhook-signature"].startswith("v1,")
    assert "x-hub-signature-256" not in render(notice(), config(), AT).headers


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": true}'])
def test_the_status_alone_decides(body: bytes) -> None:
    assert interpret(HttpResponse(204, {}, body), AT) == Delivered()


@pytest.mark.parametrize("status", [301, 400, 401, 404, 422])
def test_a_receiver_that_is_misdeployed_gets_another_chance(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status), AT), Retry)


def test_patience_asked_for_is_given_within_bounds() -> None:
    patient = interpret(HttpResponse(503, {"retry-after": "999999999"}), AT)

    assert isinstance(patient, Retry)
    assert patient.not_before == AT + timedelta(hours=6)
    assert patient.error_class == "http_5xx"
