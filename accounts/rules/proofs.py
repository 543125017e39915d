"""What may be handed in as proof, told from its first bytes, never from its name."""

MAX_FILES = 6
MAX_BYTES = 8 * 1024 * 1024
MAX_PAGES = 20
# Telephones of today take pictures of 50 million pixels. JPEG alone can be read at a fraction
# of its size, so the others get less: 25 million pixels are 100 MB of memory.
MAX_JPEG_PIXELS = 52_000_000
MAX_PIXELS = 25_000_000
# An ID card is legible at that, and a picture has less than a megabyte.
MAX_SIDE = 2400

JPEG, PNG, WEBP, HEIC, PDF = "JPEG", "PNG", "WEBP", "HEIC", "PDF"
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")


def find_kind(head: bytes) -> str:
    """The kind of a file by its first 16 bytes; empty for everything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return HEIC
    return PDF if head.startswith(b"%PDF-") else ""
