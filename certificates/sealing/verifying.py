"""Judges an uploaded PDF: is it signed, by whom, and is it still exactly what was signed?

pyHanko calls a file intact and trusted although bytes were appended after signing, and other
programs call it valid although a later revision changed the page. So three things are
demanded together: the bottom line, coverage of the entire file and no change against the
permissions. Whether the file is one of ours is decided by its SHA-256 alone, elsewhere.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from asn1crypto import cms, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from certificates.sealing.signing import read_certificates, run_apart

# A broken upload is the visitor's affair, not an error of the portal.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

# Clocks of the worker and of the one who asks may differ a little.
CLOCK_TOLERANCE = timedelta(minutes=5)

# The signature's place and bytes, found without parsing: what lies between the two ranges.
_BYTE_RANGE = re.compile(
    rb"/ByteRange\s*\[\s*(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s*\]"
)


@dataclass(frozen=True)
class SignatureReport:
    """What the signature of a file says; `is_sound` is the only verdict to act on.

    `is_ours` tells that the signer's certificate comes from one of our roots, whether or not
    the content still fits.
    """

    is_sound: bool
    is_ours: bool = False
    signer: str = ""
    signed_at: datetime | None = None


UNSIGNED = SignatureReport(is_sound=False)


class Verifier:
    """Checks signatures against our roots, without any network."""

    def __init__(self, *, roots_file: Path) -> None:
        self._roots = read_certificates(roots_file)

    def check(self, pdf: bytes, *, now: datetime) -> SignatureReport:
        """Return the report on the one signature of `pdf`; never raises for bad input."""
        return run_apart(lambda: self._check(pdf, now))

    def find_signer(self, pdf: bytes, *, now: datetime) -> SignatureReport:
        """Tell whose seal a file carries that is known not to be sound.

        Made for files of strangers: nothing is unpacked, so a small file cannot become a
        large one here, as it could inside a PDF parser.
        """
        match = _BYTE_RANGE.search(pdf)
        if match is None:
            return UNSIGNED
        first, length, second, _ = map(int, match.groups())
        digits = pdf[first + length : second].strip(b"<> \r\n")
        return run_apart(lambda: self._read_signer_report(digits, now))

    def _read_signer_report(self, digits: bytes, now: datetime) -> SignatureReport:
        try:
            signer = self._read_signer(bytes.fromhex(digits.decode("ascii")))
            return SignatureReport(
                is_sound=False,
                is_ours=self._vouches_for(signer, now),
                signer=_name_of(signer),
            )
        # Bytes of anybody's making in two lazy parsers: whatever they stumble over, no
        # signature was read.
        except Exception:  # noqa: BLE001
            return UNSIGNED

    @staticmethod
    def _read_signer(der: bytes) -> x509.Certificate:
        """The certificate that the only signature of a CMS names, out of those beside it."""
        signed = cms.ContentInfo.load(der)["content"]
        (information,) = signed["signer_infos"]
        serial = information["sid"].chosen["serial_number"].native
        (signer,) = (
            choice.chosen
            for choice in signed["certificates"]
            if choice.chosen.serial_number == serial
        )
        return signer

    def _check(self, pdf: bytes, now: datetime) -> SignatureReport:
        try:
            signatures = PdfFileReader(BytesIO(pdf), strict=True).embedded_signatures
            if len(signatures) != 1:
                return UNSIGNED
            return self._judge(signatures[0], now)
        # As above, and a PDF parser besides: nothing sound was found.
        except Exception:  # noqa: BLE001
            return UNSIGNED

    def _judge(self, signature: EmbeddedPdfSignature, now: datetime) -> SignatureReport:
        claimed = signature.self_reported_timestamp
        # A paper stays good after its certificate has run out. The time of signing is the
        # signer's own word; nobody else can give it for our key.
        moment = claimed if claimed and claimed <= now + CLOCK_TOLERANCE else now
        context = ValidationContext(
            trust_roots=self._roots, allow_fetching=False, moment=moment
        )
        status = validate_pdf_signature(signature, context)
        sound = (
            status.bottom_line
            and status.docmdp_ok
            and status.coverage == SignatureCoverageLevel.ENTIRE_FILE
        )
        return SignatureReport(
            is_sound=bool(sound),
            is_ours=bool(status.trusted)
            or self._vouches_for(signature.signer_cert, moment),
            signer=_name_of(status.signing_cert),
            signed_at=claimed,
        )

    def _vouches_for(self, signer: x509.Certificate, moment: datetime) -> bool:
        """Tell whether one of our roots stands behind a certificate.

        pyHanko does not ask once the content does not fit. A certificate that has run out
        was one of ours all the same.
        """
        moment = min(max(moment, signer.not_valid_before), signer.not_valid_after)
        validator = CertificateValidator(
            signer,
            validation_context=ValidationContext(
                trust_roots=self._roots, allow_fetching=False, moment=moment
            ),
        )
        try:
            # In the thread of `run_apart`, so no other loop is running.
            asyncio.run(
                validator.async_validate_usage(  # type: ignore[no-untyped-call]
                    {"digital_signature"}
                )
            )
        except (PathError, ValidationError):
            return False
        return True


def _name_of(certificate: x509.Certificate) -> str:
    return str(certificate.subject.native.get("common_name", ""))
