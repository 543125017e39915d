"""What a person should do next, as 个人空间 says it."""

from dataclasses import dataclass

from django.urls import reverse

from portal.queries import Space


@dataclass(frozen=True)
class Hint:
    icon: str
    text: str
    url: str
    action: str


def list_hints(space: Space) -> list[Hint]:
    """The next steps, the most pressing first."""
    return [*hint_orders(space), *hint_certificates(space), *hint_invoices(space)]


def hint_orders(space: Space) -> list[Hint]:
    if not space.pending_orders:
        return []
    number = space.pending_orders[0].number
    return [
        Hint(
            icon="credit-card",
            text=f"您有 {len(space.pending_orders)} 个订单待支付，支付后即可开始学习。",
            url=reverse("orders:detail", args=[number]),
            action="去支付",
        )
    ]


def hint_certificates(space: Space) -> list[Hint]:
    count = len(space.awaiting_certificate)
    if not count:
        return []
    if space.lacks_details:
        return [
            Hint(
                icon="person-vcard",
                text=f"{count} 个项目已结业，完善个人信息后即可打印证书。",
                url=reverse("accounts:profile"),
                action="完善信息",
            )
        ]
    return [
        Hint(
            icon="award",
            text=f"{count} 个项目已结业，可以打印证书。",
            url=reverse("certificates:list"),
            action="打印证书",
        )
    ]


def hint_invoices(space: Space) -> list[Hint]:
    if not space.uninvoiced_count:
        return []
    return [
        Hint(
            icon="file-earmark-text",
            text=f"{space.uninvoiced_count} 个已支付订单尚未申请发票，请在缴费当年申请。",
            url=reverse("invoices:list"),
            action="申请开票",
        )
    ]
