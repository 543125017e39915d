"""Proof files: pictures are drawn anew, PDFs are looked through, both kept encrypted.

A picture that was re-encoded holds nothing but its pixels: no place where it was taken, no
second file behind its end.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import pikepdf
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from PIL import Image, ImageOps

from accounts.errors import ProofRefusedError
from accounts.models import PrivateFile, User
from accounts.rules import proofs as rules
from accounts.services.audit import record_audit
from accounts.services.files import read_private_file, store_private_file

logger = logging.getLogger(__name__)

# What a PDF can do by itself, or carry hidden: none of it belongs into a letter.
_FORBIDDEN_KEYS = frozenset({"/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA"})
_FORBIDDEN_ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/RichMedia"}
)
_MAX_OBJECTS = 50_000
_MAX_DEPTH = 60
# Once for the process, before any thread opens a PDF: packed streams may not grow without end.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=64 * 1024 * 1024, run_length_max_memory=64 * 1024 * 1024
)


@dataclass(frozen=True)
class Proof:
    """A file fit to be kept."""

    content: bytes
    name: str
    content_type: str


def read_proofs(uploads: "Sequence[UploadedFile[Any]]") -> list[Proof]:
    """Check what was uploaded and make it harmless.

    The names people gave their files are dropped: they hold names and numbers. Raises
    `ProofRefusedError`, with the place of the file in its words.
    """
    if not uploads:
        raise ProofRefusedError("请上传证明材料。")
    if len(uploads) > rules.MAX_FILES:
        raise ProofRefusedError(f"最多上传{rules.MAX_FILES}个文件。")
    # All sizes before the first byte is decoded.
    for place, upload in enumerate(uploads, start=1):
        if (upload.size or 0) > rules.MAX_BYTES:
            raise ProofRefusedError(f"第{place}个文件超过8 MB，请压缩后上传。")
    return [
        _read_proof(upload.read(), place)
        for place, upload in enumerate(uploads, start=1)
    ]


def _read_proof(content: bytes, place: int) -> Proof:
    kind = rules.find_kind(content[:16])
    if kind == rules.HEIC:
        raise ProofRefusedError(
            f"第{place}个文件是HEIC格式（苹果手机的高效格式），不能上传。请在手机的“设置—相机—"
            "格式”中选“兼容性最佳”后重拍，或将照片截图后上传。"
        )
    if not kind:
        raise ProofRefusedError(
            f"第{place}个文件不是图片或PDF，请上传JPG、PNG、WebP图片或PDF文件。"
        )
    try:
        if kind == rules.PDF:
            _check_pdf(content)
            return Proof(content, f"证明材料{place}.pdf", "application/pdf")
        picture = _draw_anew(content, kind)
    except ProofRefusedError as error:
        raise ProofRefusedError(f"第{place}个文件{error}") from None
    return Proof(picture, f"证明材料{place}.jpg", "image/jpeg")


def _draw_anew(content: bytes, kind: str) -> bytes:
    side = rules.MAX_SIDE
    limit = rules.MAX_JPEG_PIXELS if kind == rules.JPEG else rules.MAX_PIXELS
    try:
        with Image.open(BytesIO(content), formats=(kind,)) as picture:
            if picture.width * picture.height > limit:
                raise ProofRefusedError("尺寸过大，请缩小后上传。")
            # Decodes a JPEG at an eighth to a half where that is still large enough.
            picture.draft("RGB", (side, side))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((side, side))
            plain = _put_on_white(upright)
    except ProofRefusedError:
        raise
    except Image.DecompressionBombError:
        raise ProofRefusedError("尺寸过大，请缩小后上传。") from None
    except Exception:  # Broken pictures raise whatever a decoder trips over.
        logger.info("a proof picture is not readable", exc_info=True)
        raise ProofRefusedError("已损坏，请重新拍摄或截图后上传。") from None
    drawn = BytesIO()
    plain.save(drawn, "JPEG", quality=85)
    return drawn.getvalue()


def _put_on_white(picture: Image.Image) -> Image.Image:
    """The pixels alone, in a picture that knows nothing of the file they came from."""
    plain = Image.new("RGB", picture.size, "white")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        plain.paste(rgba, mask=rgba.getchannel("A"))
    else:
        plain.paste(picture.convert("RGB"))
    return plain


def _check_pdf(content: bytes) -> None:
    try:
        with pikepdf.open(BytesIO(content), attempt_recovery=False) as pdf:
            if len(pdf.pages) > rules.MAX_PAGES:
                raise ProofRefusedError(f"超过{rules.MAX_PAGES}页，请只上传有关的页。")
            if len(pdf.objects) > _MAX_OBJECTS:
                raise ProofRefusedError("过于复杂，请打印后拍照上传。")
            if any(_is_dangerous(each) for each in pdf.objects):
                raise ProofRefusedError(
                    "带有脚本、附件或可执行的操作，请打印后拍照，或另存为普通PDF后上传。"
                )
    except pikepdf.PasswordError:
        raise ProofRefusedError("已加密，请取消密码后上传。") from None
    except (pikepdf.PdfError, ValueError, RuntimeError):
        raise ProofRefusedError("已损坏，请重新导出PDF后上传。") from None


def _is_dangerous(part: pikepdf.Object, depth: int = 0) -> bool:
    """Whether `part`, or what it holds directly, does something or carries a file."""
    if depth > _MAX_DEPTH:
        return True
    if isinstance(part, pikepdf.Array):
        held = list(part.as_list())
    elif isinstance(part, pikepdf.Dictionary | pikepdf.Stream):
        if _acts(part):
            return True
        held = [part[key] for key in set(part.keys())]
    else:
        return False
    return any(_is_dangerous(each, depth + 1) for each in held if _is_direct(each))


def _acts(part: pikepdf.Object) -> bool:
    return bool(
        _FORBIDDEN_KEYS.intersection(part.keys())
        or str(part.get("/S", "")) in _FORBIDDEN_ACTIONS
        or str(part.get("/Type", "")) == "/EmbeddedFile"
    )


def _is_direct(part: object) -> bool:
    # What is referred to is an object of its own and is looked at as such.
    return isinstance(part, pikepdf.Object) and not part.is_indirect


def store_proofs(
    proofs: Sequence[Proof], *, owner: User | None, now: datetime
) -> list[PrivateFile]:
    """Keep the files encrypted, until whoever decides says for how long."""
    return [
        store_private_file(
            content=proof.content,
            name=proof.name,
            content_type=proof.content_type,
            purpose=PrivateFile.Purpose.PROOF,
            owner=owner,
            now=now,
        )
        for proof in proofs
    ]


@transaction.atomic
def open_proof(*, file: PrivateFile, about: str, actor: User, now: datetime) -> bytes:
    """The content for a member of the staff, whose look is noted in the audit.

    `about` is what it proves, as the audit names it: `request:CODE`.
    """
    content = read_private_file(file)
    record_audit(
        action=f"{about.partition(':')[0]}.proof_opened",
        target=about,
        actor=actor,
        now=now,
        detail={"file": file.code},
    )
    return content
