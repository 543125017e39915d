"""SMS through Tencent Cloud (腾讯云短信, SendSms of 2021-01-11).

The SDK is locked apart (`requirements/sms.txt`), so that only portals that use it install it.
Tencent sends approved templates, not texts: `TENCENT_SMS["templates"]` says for each of our
templates its id there and which values fill its places, in their order.
"""

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.errors import DeliveryError
from accounts.rules.sms_templates import SmsTemplate, read_templates

logger = logging.getLogger(__name__)

# Connecting and each read; the outbox gives a provider 60 seconds.
TIMEOUT_SECONDS = 10
# What trying again cannot mend: the number, the words or the template's places. Everything
# else (arrears, a limit, the line, a template not approved yet) may be over in an hour.
PERMANENT = (
    "InvalidParameter",
    "MissingParameter",
    "UnsupportedOperation",
    "FailedOperation.ContainSensitiveWord",
    "FailedOperation.PhoneNumberInBlacklist",
    "FailedOperation.PhoneNumberParseFail",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
    "LimitExceeded.PhoneNumberSameContentDailyLimit",
)
# Errors of the account's own set-up begin like those of one message.
TEMPORARY = ("InvalidParameterValue.SdkAppIdNotExist",)


class TencentSmsProvider:
    """`SMS_PROVIDER=accounts.providers.tencent_sms.TencentSmsProvider`."""

    def __init__(self) -> None:
        config = settings.TENCENT_SMS
        self._app_id: str = config["app_id"]
        self._sign_name: str = config["sign_name"]
        self._templates = read_templates(config["templates"])
        self._client, self._refusal = load_client(config)

    def send(
        self,
        *,
        phone: str,
        text: str,
        template: str,
        values: Mapping[str, str],
        reference: str,
    ) -> None:
        known = self._templates.get(template)
        if known is None:
            raise DeliveryError(f"未配置短信模板：{template}", permanent=True)
        request = {
            "PhoneNumberSet": [f"+86{phone}"],
            "SmsSdkAppId": self._app_id,
            "SignName": self._sign_name,
            "TemplateId": known.id,
            "TemplateParamSet": fill_places(known, values),
            # Comes back in the operator's records; it does not stop a second sending.
            "SessionContext": reference,
        }
        check_status(self._call(request))

    def _call(self, request: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            answer = self._client.call_json("SendSms", request)
        except self._refusal as error:
            raise refuse(str(error.get_code())) from None
        return dict(answer)


def load_client(config: Mapping[str, Any]) -> tuple[Any, type[Any]]:
    """The SDK's client, and the class of its errors. Raises ImproperlyConfigured."""
    try:
        credential = import_module("tencentcloud.common.credential")
        profiles = import_module("tencentcloud.common.profile.client_profile")
        http = import_module("tencentcloud.common.profile.http_profile")
        errors = import_module("tencentcloud.common.exception")
        sms = import_module("tencentcloud.sms.v20210111.sms_client")
    except ImportError as error:
        raise ImproperlyConfigured(
            "Tencent Cloud SMS needs its SDK: install requirements/sms.txt"
        ) from error
    # It logs whole requests, phone and all, where the level is DEBUG.
    logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)
    profile = profiles.ClientProfile(
        httpProfile=http.HttpProfile(
            protocol=config["protocol"],
            endpoint=config["endpoint"],
            reqTimeout=TIMEOUT_SECONDS,
        )
    )
    client = sms.SmsClient(
        credential.Credential(config["secret_id"], config["secret_key"]),
        config["region"],
        profile,
    )
    return client, errors.TencentCloudSDKException


def fill_places(template: SmsTemplate, values: Mapping[str, str]) -> list[str]:
    """The values of the template's places, in their order."""
    try:
        return [values[name] for name in template.values]
    except KeyError as error:
        raise DeliveryError(
            f"短信模板的变量不存在：{error.args[0]}", permanent=True
        ) from None


def check_status(answer: Mapping[str, Any]) -> None:
    """Raise `DeliveryError` unless the one number was taken."""
    try:
        code = str(answer["Response"]["SendStatusSet"][0]["Code"])
    except (KeyError, IndexError, TypeError):
        raise DeliveryError("短信服务的应答无法识别") from None
    if code != "Ok":
        raise refuse(code)


def refuse(code: str) -> DeliveryError:
    """The error for a code of Tencent's: without its words, which may repeat the number."""
    logger.warning("sms refused", extra={"code": code})
    is_permanent = code.startswith(PERMANENT) and not code.startswith(TEMPORARY)
    return DeliveryError(code, permanent=is_permanent)
