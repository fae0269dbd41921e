"""Check the receipt of a credit commitment (信用承诺回执): python3 check_receipt.py FILE

Needs Python 3.9 or later and openssl, no network. Ends with 0 only if all three checks pass.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# What stands before the two coordinates of a P-256 public key (RFC 5480; uncompressed point).
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def unb64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: Any, **how: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, **how).encode()


def text_is_the_signed_one(file: Any, claims: Any) -> bool:
    words = file["template_version"] + "\n" + (file["text"] or {"zh": ""})["zh"]
    hashed = hashlib.sha256(words.encode()).hexdigest()
    told = {file["text_sha256"], claims["text_sha256"], file["record"][7]}
    return told == {hashed}


def record_has_the_hash(file: Any, claims: Any) -> bool:
    hashed = hashlib.sha256(file["record_prefix"].encode() + compact(file["record"])).hexdigest()
    named = [claims[name] for name in ("scenario", "template", "template_version")]
    told = [file["record"][place] for place in (3, 5, 6)]
    return told == named and file["record"][9] == file["jws"] and hashed == file["record_sha256"]


def signature_is_the_devices(file: Any, claims: Any) -> bool:
    head, payload, signature = file["jws"].split(".")
    jwk = {name: file["device"]["jwk"][name] for name in ("crv", "kty", "x", "y")}
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(compact(jwk, sort_keys=True)).digest())
    kid = thumbprint.decode().rstrip("=")
    wanted = {"alg": "ES256", "kid": kid, "typ": "qjf-commitment+jws"}
    if json.loads(unb64url(head)) != wanted or claims != file["claims"]:
        return False
    key = base64.encodebytes(SPKI + unb64url(jwk["x"]) + unb64url(jwk["y"])).decode()
    pem = "-----BEGIN PUBLIC KEY-----\n" + key + "-----END PUBLIC KEY-----\n"
    return openssl_verifies(pem, der(unb64url(signature)), (head + "." + payload).encode())


def der(signature: bytes) -> bytes:
    """Two numbers of 32 bytes each (RFC 7518 3.4) in the form that openssl reads."""
    numbers = b""
    for half in (signature[:32], signature[32:]):
        number = half.lstrip(b"\0") or b"\0"
        number = b"\0" + number if number[0] > 127 else number
        numbers += bytes([2, len(number)]) + number
    return bytes([48, len(numbers)]) + numbers


def openssl_verifies(pem: str, signature: bytes, signed: bytes) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "key.pem").write_text(pem)
        (folder / "signature").write_bytes(signature)
        (folder / "signed").write_bytes(signed)
        command = [shutil.which("openssl") or sys.exit("openssl is not installed")]
        command += ["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"]
        return subprocess.run(command, cwd=name, stdout=subprocess.DEVNULL).returncode == 0


def main(path: str) -> int:
    file = json.loads(Path(path).read_text("utf-8").rstrip("\n").rpartition("\n")[2])
    claims = json.loads(unb64url(file["jws"].split(".")[1]))
    checks = {
        "文本 text": text_is_the_signed_one,
        "记录 record": record_has_the_hash,
        "签名 signature": signature_is_the_devices,
    }
    passed = {name: check(file, claims) for name, check in checks.items()}
    for name, fine in passed.items():
        sys.stdout.write(name + ": " + ("ok" if fine else "DOES NOT PASS") + "\n")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
