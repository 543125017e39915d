"""The upload in parts on the staff site: endpoints, the form that takes it, captions."""

from hashlib import sha256
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.admin.uploads import PART_BYTES
from catalog.models import Video, VideoUpload
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VideoUploadFactory

pytestmark = pytest.mark.django_db

CONTENT = b"twelve bytes"
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:02.000\n字幕\n".encode()


@pytest.fixture
def client(client_of: Any, staff: Any) -> Client:
    return client_of(staff)


def begin(client: Client, **told: object) -> Any:
    address = reverse("admin:catalog_video_upload_begin")
    return client.post(
        address, {"name": "讲座.mp4", "size": "12", "modified": "5"} | told
    )


def send(client: Client, code: str, offset: object, content: bytes) -> Any:
    return client.put(
        reverse("admin:catalog_video_upload_part", args=[code]),
        content,
        content_type="application/octet-stream",
        headers={
            "Upload-Offset": str(offset),
            "Upload-Digest": sha256(content).hexdigest(),
        },
    )


def add(client: Client, **fields: object) -> Any:
    return client.post(reverse("admin:catalog_video_add"), fields)


def test_file_in_parts_becomes_a_video(client: Client) -> None:
    begun = begin(client).json()
    assert (begun["received"], begun["partBytes"]) == (0, PART_BYTES)

    assert send(client, begun["code"], 0, CONTENT[:5]).json() == {"received": 5}
    assert begin(client).json() == begun | {"received": 5}
    assert send(client, begun["code"], 5, CONTENT[5:]).json() == {"received": 12}
    captions = SimpleUploadedFile("zimu.vtt", CAPTIONS)
    response = add(client, upload=begun["code"], captions=captions)

    assert response.status_code == 302
    video = Video.objects.get()
    assert VideoUpload.objects.get().video == video
    assert (video.state, str(video)) == (Video.State.WAITING, "讲座.mp4")
    assert video.captions.read() == CAPTIONS


@pytest.mark.parametrize("modified", ["-11644473600000", "", "x"])
def test_file_of_no_known_date_is_taken(modified: str, client: Client) -> None:
    assert begin(client, modified=modified).status_code == 200
    assert VideoUpload.objects.get().modified_ms == 0


def test_place_that_is_not_next_is_told(client: Client) -> None:
    code = begin(client).json()["code"]

    for offset in (5, "x", -1):
        response = send(client, code, offset, b"x")
        assert (response.status_code, response.json()["received"]) == (409, 0)
    assert VideoUpload.objects.get().received == 0


def test_damaged_part_is_told(client: Client) -> None:
    code = begin(client).json()["code"]

    response = client.put(
        reverse("admin:catalog_video_upload_part", args=[code]),
        CONTENT,
        content_type="application/octet-stream",
        headers={"Upload-Offset": "0", "Upload-Digest": "0" * 64},
    )

    assert (response.status_code, response.json()) == (
        422,
        {"message": "这一段在传输中损坏"},
    )
    assert VideoUpload.objects.get().received == 0


def test_part_that_is_too_large_is_refused(client: Client) -> None:
    code = begin(client, size=str(PART_BYTES * 2)).json()["code"]

    assert send(client, code, 0, b"x" * (PART_BYTES + 1)).status_code == 413
    assert send(client, code, 0, b"").status_code == 413
    assert send(client, code, 0, b"x" * PART_BYTES).json() == {"received": PART_BYTES}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"name": "讲义.pdf"}, "不支持这种文件类型"),
        ({"size": "5000000000"}, "文件超过 4 GB"),
        ({"size": "many"}, "文件是空的"),
    ],
)
def test_files_that_are_not_taken(told: Any, message: str, client: Client) -> None:
    response = begin(client, **told)

    assert response.status_code == 400
    assert message in response.json()["message"]
    assert not VideoUpload.objects.exists()


def test_staff_without_the_right_upload_nothing(client_of: Any, staff: Any) -> None:
    upload = VideoUploadFactory(person=staff)
    clerk = client_of(UserFactory(is_staff=True))

    assert begin(clerk).status_code == 403
    assert send(clerk, upload.code, 0, CONTENT).status_code == 403
    assert VideoUpload.objects.get().received == 0


def test_upload_of_a_colleague_stays_hers(client_of: Any, client: Client) -> None:
    code = begin(client).json()["code"]
    colleague = client_of(UserFactory(is_staff=True, is_superuser=True))

    assert send(colleague, code, 0, CONTENT).status_code == 404
    assert "没有找到上传的文件" in add(colleague, upload=code).content.decode()
    assert (VideoUpload.objects.get().received, Video.objects.count()) == (0, 0)


def test_endpoints_want_the_csrf_token(client_of: Any, staff: Any) -> None:
    client = client_of(staff)
    client.handler.enforce_csrf_checks = True
    upload = VideoUploadFactory(person=staff)

    assert begin(client).status_code == 403
    assert send(client, upload.code, 0, CONTENT).status_code == 403


def test_form_without_a_file_is_refused(client: Client) -> None:
    assert "请选择视频文件" in add(client).content.decode()
    assert not Video.objects.exists()


def test_form_with_half_a_file_is_refused(client: Client) -> None:
    code = begin(client).json()["code"]
    send(client, code, 0, CONTENT[:5])

    html = add(client, upload=code).content.decode()

    assert "视频文件尚未传完，请继续上传" in html
    assert not Video.objects.exists()


def test_unsound_captions_do_not_cost_the_upload(client: Client) -> None:
    code = begin(client).json()["code"]
    send(client, code, 0, CONTENT)
    bad = SimpleUploadedFile("zimu.vtt", b"1\n00:00:01,000 --> 00:00:02,000\n")

    html = add(client, upload=code, captions=bad).content.decode()

    assert "字幕文件的第一行须为 WEBVTT" in html
    assert f'value="{code}"' in html
    assert not Video.objects.exists()
    assert add(client, upload=code).status_code == 302
