"""How personal data may be shown: enough to recognise one's own, too little for a stranger."""

from ipaddress import ip_address


def mask_id_number(number: str) -> str:
    """`500105********4512`; empty stays empty."""
    if len(number) < 11:
        return "*" * len(number)
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


def mask_phone(phone: str) -> str:
    """`138****1234`; empty stays empty."""
    if len(phone) < 8:
        return "*" * len(phone)
    return f"{phone[:3]}****{phone[-4:]}"


def mask_address(address: str) -> str:
    """`203.0.113.*`, `2001:0db8:0001:*`: the network, not the connection; empty stays empty."""
    if ":" in address:
        return ":".join([*ip_address(address).exploded.split(":")[:3], "*"])
    return f"{address.rpartition('.')[0]}.*" if address else ""


def mask_email(address: str) -> str:
    """`z***@example.com`, no longer than 60 characters; empty stays empty."""
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"[:60] if address else ""


def mask_name(name: str) -> str:
    """`张*`, `张*三`, `欧**国`: first and last character of names of three and more."""
    if len(name) < 2:
        return name
    if len(name) == 2:
        return f"{name[0]}*"
    return name[0] + "*" * (len(name) - 2) + name[-1]
