import random
from io import BytesIO

import pikepdf
import pytest
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from certificates.sealing.signing import SealedField, Sealer, ensure_sample_identity
from certificates.sealing.verifying import Verifier
from tests.clock import at


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return ensure_sample_identity(
        tmp_path_factory.mktemp("keys"), organisation="示例", now=at("2026-06-15 10:00")
    )


@pytest.fixture(scope="module")
def signed(identity) -> bytes:
    output = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(200, 100))
        pdf.save(output)
    field = SealedField(box=(10, 10, 60, 60), reason="测试", location="重庆")
    sealer = Sealer(key_file=identity[0], certificate_file=identity[1])
    return sealer.seal(output.getvalue(), field)


@pytest.fixture
def verifier(identity) -> Verifier:
    return Verifier(roots_file=identity[2])


def covered_places(pdf: bytes) -> list[int]:
    with pikepdf.open(BytesIO(pdf)) as document:
        spans = [int(part) for part in document.Root.AcroForm.Fields[0].V.ByteRange]
    first, second = range(spans[0], spans[1]), range(spans[2], spans[2] + spans[3])
    return [*first, *second]


def test_every_changed_byte_of_the_signed_ranges_is_caught(signed, verifier, now):
    chance = random.Random(20260615)
    for place in chance.sample(covered_places(signed), 120):
        changed = bytearray(signed)
        changed[place] ^= 1 << chance.randrange(8)

        assert not verifier.check(bytes(changed), now=now).is_sound, place


def test_a_changed_file_is_still_recognised_as_once_sealed_by_us(signed, verifier, now):
    changed = bytearray(signed)
    changed[signed.index(b"/MediaBox") + 1] ^= 1

    report = verifier.check(bytes(changed), now=now)

    assert (report.is_sound, report.is_ours) == (False, True)
    assert report.signer == "示例（演示电子印章）"


def test_the_signer_of_a_changed_file_is_read_without_unpacking_it(
    signed, verifier, now
):
    changed = signed.replace(b"/MediaBox", b"/NediaBox")

    report = verifier.find_signer(changed, now=now)

    assert (report.is_sound, report.is_ours) == (False, True)
    assert report.signer == "示例（演示电子印章）"


def test_the_signer_is_known_after_the_certificate_has_run_out(signed, verifier):
    assert verifier.find_signer(signed, now=at("2050-01-01 10:00")).is_ours


def test_another_roots_seal_is_not_ours(signed, tmp_path, now):
    other = ensure_sample_identity(tmp_path, organisation="示例", now=now)

    report = Verifier(roots_file=other[2]).find_signer(signed, now=now)

    assert (report.is_ours, report.signer) == (False, "示例（演示电子印章）")


def test_broken_signatures_are_answered_not_raised(signed, verifier, now):
    """A nibble of the CMS changed at every hundredth place, certificate included.

    Some nibbles matter to nobody, which is why the stored digest decides and not this.
    """
    start = signed.index(b"/Contents") + 11
    for place in range(start, signed.index(b"0" * 64, start), 100):
        changed = bytearray(signed)
        changed[place] = ord("0") if changed[place] != ord("0") else ord("1")

        assert not verifier.find_signer(bytes(changed), now=now).is_sound
        verifier.check(bytes(changed), now=now)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"/ByteRange [0 1 2 3]",
        b"/ByteRange [0 30 30 9] <30820101>",
        b"/ByteRange [0 24 40 9] <" + b"zz" * 20,
        b"/ByteRange [999999999 999999999 0 9]",
    ],
)
def test_a_signature_that_cannot_be_read_is_no_signature(content, verifier, now):
    report = verifier.find_signer(content, now=now)

    assert (report.is_sound, report.is_ours, report.signer) == (False, False, "")


def test_bytes_added_at_the_end_are_caught(signed, verifier, now):
    assert verifier.check(signed, now=now).is_sound

    report = verifier.check(signed + b"\n% more", now=now)

    assert (report.is_sound, report.is_ours) == (False, True)


def test_a_later_revision_that_turns_the_page_is_caught(signed, verifier, now):
    output = BytesIO()
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    page, _ = writer.find_page_for_modification(0)
    page.get_object()["/Rotate"] = NumberObject(90)
    writer.update_container(page.get_object())
    writer.write(output)

    report = verifier.check(output.getvalue(), now=now)

    assert output.getvalue().startswith(signed)
    assert (report.is_sound, report.is_ours) == (False, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"%PDF-1.7", b"hello", b"\x00" * 5000, b"%PDF-1.7\n1 0 obj<</A 1 0 R>>"],
)
def test_what_is_no_signed_pdf_is_answered_not_raised(content, verifier, now):
    report = verifier.check(content, now=now)

    assert (report.is_sound, report.is_ours, report.signer) == (False, False, "")


def test_cut_files_are_answered_not_raised(signed, verifier, now):
    for length in range(0, len(signed), 997):
        assert not verifier.check(signed[:length], now=now).is_sound
