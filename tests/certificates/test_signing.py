import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from certificates.errors import SealKeyError
from certificates.sealing.signing import SealedField, Sealer, ensure_sample_identity
from certificates.sealing.verifying import Verifier

FIELD = SealedField(box=(10, 10, 60, 60), reason="测试", location="重庆")


@pytest.fixture
def identity(tmp_path, now):
    return ensure_sample_identity(tmp_path / "keys", organisation="示例中心", now=now)


@pytest.fixture
def blank() -> bytes:
    output = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(200, 100))
        pdf.save(output)
    return output.getvalue()


@pytest.fixture
def signed(identity, blank) -> bytes:
    key, certificate, _ = identity
    return Sealer(key_file=key, certificate_file=certificate).seal(blank, FIELD)


def make_rsa_identity(folder: Path, now) -> tuple[Path, Path]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RSA 示例")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / "rsa.pem", folder / "rsa_certificate.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def test_the_sample_identity_is_made_once_and_only_for_its_owner(tmp_path, now):
    folder = tmp_path / "keys"

    paths = ensure_sample_identity(folder, organisation="示例中心", now=now)
    before = [path.read_bytes() for path in paths]
    ensure_sample_identity(folder, organisation="另一中心", now=now)

    assert [path.read_bytes() for path in paths] == before
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600] * 3
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_processes_that_start_together_agree_on_one_identity(tmp_path, now):
    with ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(
                ensure_sample_identity, tmp_path / "k", organisation="甲", now=now
            )
            for _ in range(4)
        ]
        keys = {run.result()[0].read_bytes() for run in runs}

    assert len(keys) == 1


def test_the_signature_is_a_certification_that_allows_no_change(signed):
    with pikepdf.open(BytesIO(signed)) as document:
        root = document.Root
        (field,) = root.AcroForm.Fields
        value = field.V

        assert str(value.SubFilter) == "/ETSI.CAdES.detached"
        assert str(value.Reason) == "测试"
        assert [int(side) for side in field.Rect] == [10, 10, 60, 60]
        assert root.Perms.DocMDP.objgen == value.objgen
        assert int(value.Reference[0].TransformParams.P) == 1
        # The widget draws nothing: the seal is in the page's content.
        drawn = field.AP.N.read_bytes().split()
        assert set(drawn) & {b"S", b"s", b"f", b"B", b"Do", b"Tj"} == set()
        start, length, second, rest = (int(part) for part in value.ByteRange)
    assert start == 0
    assert second + rest == len(signed)
    # What is left out is the signature and not much more.
    assert second - length < 6000


def test_a_sealed_file_verifies_under_its_own_roots_only(
    signed, identity, tmp_path, now
):
    other = ensure_sample_identity(tmp_path / "other", organisation="冒名", now=now)

    ours = Verifier(roots_file=identity[2]).check(signed, now=now)
    theirs = Verifier(roots_file=other[2]).check(signed, now=now)

    assert (ours.is_sound, ours.is_ours) == (True, True)
    assert ours.signer == "示例中心（演示电子印章）"
    assert (theirs.is_sound, theirs.is_ours) == (False, False)


def test_an_rsa_key_signs_as_well(tmp_path, blank, now):
    key, certificate = make_rsa_identity(tmp_path, now)

    signed = Sealer(key_file=key, certificate_file=certificate).seal(blank, FIELD)

    report = Verifier(roots_file=certificate).check(signed, now=now)
    assert report.signer == "RSA 示例"
    assert signed.startswith(blank)


def test_key_and_certificate_must_belong_together(tmp_path, identity, now):
    key, _ = make_rsa_identity(tmp_path, now)

    with pytest.raises(SealKeyError):
        Sealer(key_file=key, certificate_file=identity[1])
    with pytest.raises(SealKeyError):
        Sealer(key_file=tmp_path / "absent.pem", certificate_file=identity[1])
    with pytest.raises(SealKeyError):
        Sealer(key_file=identity[1], certificate_file=identity[1])
