"""Recipes of signatures against what others compute, rotation, replays and forgeries."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks import Webhook

from hub.channels import encryption, shipped, signatures
from hub.channels.encryption import Encryption
from hub.channels.expressions import Scope
from hub.channels.requests import Given, PushRefused, Request
from hub.channels.signatures import Signature

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
BODY = b'{"a": 1}'


def request(body: bytes = BODY, form: bool = False, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", named, {}, body, "main", NOW, form)


def given(*secrets: str, **settings: str) -> Given:
    return Given("c", settings, {"signing": secrets})


def refusal(recipe: Signature, given: Given, request: Request) -> str:
    with pytest.raises(PushRefused) as caught:
        signatures.verify([recipe], given, request)
    return caught.value.code


def test_what_a_public_library_of_standard_webhooks_signs_is_accepted() -> None:
    secret = "whsec_" + base64.b64encode(b"0" * 32).decode()
    said = Webhook(secret).sign("msg_1", NOW, BODY.decode())
    sent = request(
        webhook_id="msg_1",
        webhook_timestamp=str(int(NOW.timestamp())),
        webhook_signature=f"v1,AAAA {said}",
    )
    signatures.verify(shipped.pack("website").signatures, given(secret), sent)


def test_a_secret_rotates_and_both_are_accepted_for_an_overlap() -> None:
    recipe = Signature(at="header:x", algorithm="hmac-sha256", parts=["{body}"])
    for secret in ("new", "old"):
        said = hmac.new(secret.encode(), BODY, "sha256").hexdigest()
        signatures.verify([recipe], given("new", "old"), request(x=said))
    said = hmac.new(b"older", BODY, "sha256").hexdigest()
    assert refusal(recipe, given("new", "old"), request(x=said)) == "signature_wrong"


def test_a_right_signature_with_a_changed_body_is_refused() -> None:
    recipe = Signature(at="header:x", algorithm="md5", parts=["{body}{secret}"])
    said = hashlib.md5(BODY + b"s").hexdigest()
    signatures.verify([recipe], given("s"), request(x=said))
    assert refusal(recipe, given("s"), request(b'{"a": 2}', x=said)) == "signature_wrong"
    assert refusal(recipe, given("s"), request()) == "signature_missing"
    assert refusal(recipe, given(), request(x=said)) == "secret_missing"


def test_a_signature_of_three_days_ago_is_refused_by_its_timestamp() -> None:
    recipe = shipped.pack("website").signatures[0]
    old = str(int(NOW.timestamp()) - 3 * 86_400)
    sent = request(webhook_id="m", webhook_timestamp=old, webhook_signature="v1,x")
    assert refusal(recipe, given("whsec_AAAA"), sent) == "timestamp_old"


def test_the_md5_of_sorted_parameters_tolerates_fields_that_were_added() -> None:
    recipe = shipped.pack("erp_stock").signatures[0]
    plain = "added=1&data=[]&key=s"
    said = hashlib.md5(plain.encode()).hexdigest().upper()
    body = f"data=[]&empty=&added=1&sign={said}".encode()
    signatures.verify([recipe], given("s"), request(body, form=True))


def test_md5_of_secret_json_timestamp_secret_is_a_recipe_too() -> None:
    parts = ["{secret}{body}{header.ts}{secret}"]
    recipe = Signature(at="header:x", algorithm="md5", parts=parts)
    said = hashlib.md5(b"s" + BODY + b"123s").hexdigest()
    signatures.verify([recipe], given("s"), request(ts="123", x=said))


def test_an_rsa_signature_is_verified_by_the_platforms_public_key() -> None:
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    recipe = Signature(at="header:x", algorithm="rsa-sha256", parts=["{header.ts}\n{body}\n"])
    said = key.sign(b"1\n" + BODY + b"\n", padding.PKCS1v15(), hashes.SHA256())
    sent = request(ts="1", x=base64.b64encode(said).decode())
    signatures.verify([recipe], given(public.decode()), sent)
    sent.headers = {**sent.headers, "ts": "2"}
    assert refusal(recipe, given(public.decode()), sent) == "signature_wrong"
    assert refusal(recipe, given("no key"), sent) == "signature_wrong"


def test_a_resource_sealed_by_aes_gcm_is_opened_and_a_changed_one_refused() -> None:
    key = "0" * 32
    recipe = Encryption(
        algorithm="aes-gcm",
        at="$envelope.resource.ciphertext",
        iv="$envelope.resource.nonce",
        associated_data="$envelope.resource.associated_data",
    )
    sealed = AESGCM(key.encode()).encrypt(b"n" * 12, b'{"id": 9007199254740993}', b"pay")
    resource = {
        "ciphertext": base64.b64encode(sealed).decode(),
        "nonce": "n" * 12,
        "associated_data": "pay",
    }
    ways = shipped.pack("website").ways()
    own = Given("c", {}, {"encryption": ("wrong" * 6 + "12", key)})
    scope = Scope({"envelope": {"resource": resource}}, ways)
    assert encryption.decrypt(recipe, own, scope) == {"id": 9007199254740993}
    scope.roots["envelope"] = {"resource": resource | {"associated_data": "other"}}
    with pytest.raises(PushRefused, match="no key"):
        encryption.decrypt(recipe, own, scope)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_cannot_be_read_is_refused_not_a_crash(body: bytes) -> None:
    with pytest.raises(PushRefused):
        request(body).fields()


def test_secrets_do_not_stand_in_what_is_printed() -> None:
    assert "s3cret" not in repr(given("s3cret"))
    assert json.loads(BODY) == {"a": 1}
