"""Packed bills of gateways, unpacked within limits: whatever comes, memory stays bounded."""

import io
import zipfile

# Some 100,000 entries of the widest bill.
BILL_LIMIT = 64 * 1024 * 1024
_MEMBER_LIMIT = 20


def unzip(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip archive by name. Raises `ValueError`.

    The directory is looked at before anything is unpacked; checksums are checked by reading.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > _MEMBER_LIMIT:
                raise ValueError("too many files in the archive")
            if sum(member.file_size for member in members) > BILL_LIMIT:
                raise ValueError("the archive is too large")
            return {member.filename: archive.read(member) for member in members}
    # Encrypted members are a RuntimeError, unknown methods a NotImplementedError.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise ValueError("not a readable archive") from error
