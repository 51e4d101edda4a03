"""Signatures: the published vectors, and two independent libraries that verify ours."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from app.signing import SignatureRefused, check_secret, hub_signature_256, new_key_pair, new_secret, public_key, sign, verify
from app.timesource import utc_now

VECTORS = Path(__file__).parents[2] / "shared" / "cases" / "standard_webhooks_vectors.json"

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AT = datetime.fromtimestamp(1614265330, UTC)


def vectors(part: str) -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"the vectors are not here: {VECTORS}"))]
    found = json.loads(VECTORS.read_text())[part]
    return [pytest.param(vector, id=vector.get("name", str(number))) for number, vector in enumerate(found)]


def refusal(**changed: Any) -> str | None:
    sent: dict[str, Any] = {"id": ID, "timestamp": "1614265330", "body": BODY, "signature": SIGNED, "now": AT} | changed
    try:
        verify(sent.pop("secret", SECRET), **sent)
    except SignatureRefused as error:
        return error.reason
    return None


@pytest.mark.parametrize("vector", vectors("sign"))
def test_we_sign_as_the_vectors_say(vector: dict[str, Any]) -> None:
    signature = sign(vector["secrets"], id=vector["id"], timestamp=vector["timestamp"], body=vector["payload"].encode())

    assert signature == vector["expect"]


@pytest.mark.parametrize("vector", vectors("verify"))
def test_we_verify_as_the_vectors_say(vector: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    reason = refusal(
        secret=vector["secret"],
        id=headers.get("webhook-id", ""),
        timestamp=headers.get("webhook-timestamp", ""),
        signature=headers.get("webhook-signature", ""),
        body=vector["payload"].encode(),
        now=datetime.fromtimestamp(vector["now"], UTC),
        tolerance=timedelta(seconds=vector["tolerance_s"]),
    )

    assert reason == vector["reason"]


@pytest.mark.parametrize("vector", vectors("secret_format"))
def test_new_secrets_are_judged_as_the_vectors_say(vector: dict[str, Any]) -> None:
    try:
        check_secret(vector["secret"])
        acceptable = True
    except SignatureRefused:
        acceptable = False

    assert acceptable == vector["acceptable_for_new_endpoint"]


@pytest.mark.parametrize("vector", vectors("other_schemes"))
def test_the_older_scheme_is_signed_as_its_vendor_says(vector: dict[str, Any]) -> None:
    assert hub_signature_256(vector["secret"], vector["payload"].encode()) == vector["expect"]


def test_the_published_vector_holds() -> None:
    assert sign([SECRET], id=ID, timestamp=1614265330, body=BODY) == SIGNED
    assert refusal() is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"now": AT + timedelta(seconds=300)}, None),
        ({"now": AT - timedelta(seconds=300)}, None),
        ({"now": AT + timedelta(seconds=301)}, "timestamp_too_old"),
        ({"now": AT - timedelta(seconds=301)}, "timestamp_too_new"),
        ({"timestamp": "-1614265330"}, "invalid_timestamp"),
        ({"timestamp": "1614265330.0"}, "invalid_timestamp"),
        ({"timestamp": "١٦١٤٢٦٥٣٣٠"}, "invalid_timestamp"),
        ({"timestamp": "9" * 400}, "invalid_timestamp"),
        ({"timestamp": "9" * 15}, "timestamp_too_new"),
        ({"id": ""}, "missing_header"),
        ({"signature": ""}, "missing_header"),
        ({"signature": " "}, "no_matching_signature"),
        ({"signature": "v1,é \ud800"}, "no_matching_signature"),
        ({"signature": "v1a," + SIGNED[3:]}, "no_matching_signature"),
        ({"signature": f"v9,x {SIGNED} v1,x"}, None),
        ({"signature": "v1,x " * 2000 + SIGNED}, None),
        ({"secret": ""}, "invalid_secret"),
        ({"secret": "whsec_"}, "invalid_secret"),
        ({"secret": "whsec_not base64!"}, "invalid_secret"),
        ({"secret": "whpk_" + "AAAA"}, "invalid_secret"),
        ({"secret": "ключ"}, "invalid_secret"),
        ({"secret": SECRET.removeprefix("whsec_")}, None),
    ],
)
def test_each_refusal_has_its_reason(changed: dict[str, Any], reason: str | None) -> None:
    assert refusal(**changed) == reason


@pytest.mark.parametrize("secrets", [[], ["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="], [SECRET, "plain"], ["whsk_AAAA"]])
def test_what_is_no_signing_key_signs_nothing(secrets: list[str]) -> None:
    with pytest.raises(SignatureRefused, match="invalid_secret"):
        sign(secrets, id=ID, timestamp=1, body=BODY)


@pytest.mark.parametrize(
    ("secret", "fine"),
    [
        ("whsec_" + base64.b64encode(bytes(24)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(64)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), False),
        (base64.b64encode(bytes(32)).decode(), False),
        ("whsk_" + base64.b64encode(bytes(32)).decode(), True),
        ("whsk_" + base64.b64encode(bytes(64)).decode(), False),  # the public half does not belong to the private one
        ("whsk_" + base64.b64encode(bytes(24)).decode(), False),
        ("", False),
    ],
)
def test_a_new_endpoints_secret_is_long_enough_and_named(secret: str, fine: bool) -> None:
    if fine:
        check_secret(secret)
    else:
        with pytest.raises(SignatureRefused):
            check_secret(secret)


def test_both_libraries_accept_our_signature_during_a_rotation() -> None:
    new, old, body = new_secret(), new_secret(), '{"subject":"Störung"}'.encode()
    stamp = int(utc_now().timestamp())  # these libraries read the clock themselves
    headers = {"webhook-id": ID, "webhook-timestamp": str(stamp), "webhook-signature": sign([new, old], id=ID, timestamp=stamp, body=body)}

    for secret in (new, old):
        assert standardwebhooks.Webhook(secret).verify(body, headers) == {"subject": "Störung"}
        assert svix.Webhook(secret).verify(body, headers) == {"subject": "Störung"}


def test_an_ed25519_signature_is_good_for_another_library_and_for_us() -> None:
    private, public = new_key_pair()
    signature = sign([private], id=ID, timestamp=1614265330, body=BODY)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    key.verify(base64.b64decode(signature.removeprefix("v1a,")), f"{ID}.1614265330.".encode() + BODY)

    assert public == public_key(private)
    assert refusal(secret=public, signature=signature) is None
    assert refusal(secret=private, signature=signature) is None
    assert refusal(secret=public, signature=signature, body=b"{}") == "no_matching_signature"
    assert refusal(secret=public, signature="v1a,%%%") == "no_matching_signature"
    assert refusal(secret=SECRET, signature=f"{signature} {SIGNED}") is None


def test_a_shared_key_has_no_public_half() -> None:
    with pytest.raises(SignatureRefused):
        public_key(SECRET)


@given(body=st.binary(max_size=200), secret=st.text(max_size=80), signature=st.text(max_size=80), timestamp=st.text(max_size=20))
def test_nothing_a_stranger_sends_breaks_the_verifier(body: bytes, secret: str, signature: str, timestamp: str) -> None:
    assert refusal(body=body, secret=secret, signature=signature, timestamp=timestamp) is not None


@given(body=st.binary(max_size=200), bit=st.integers(min_value=0))
def test_one_changed_bit_is_noticed(body: bytes, bit: int) -> None:
    signature = sign([SECRET], id=ID, timestamp=1614265330, body=body)
    changed = bytearray(body or b"\0")
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8

    assert refusal(body=body, signature=signature) is None
    assert refusal(body=bytes(changed), signature=signature) == "no_matching_signature"
