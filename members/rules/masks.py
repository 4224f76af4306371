"""What is shown of personal data to those who may not read it."""

from datetime import date


def mask_phone(phone: str) -> str:
    """138****8000; other countries keep their code: +852****5678."""
    if not phone:
        return ""
    national = phone.removeprefix("+86")
    if len(national) == 11:
        return f"{national[:3]}****{national[-4:]}"
    return f"{phone[:4]}****{phone[-4:]}" if len(phone) > 8 else "****"


def mask_name(name: str) -> str:
    """张**, as receipts show it."""
    return name[:1] + "*" * (len(name) - 1) if name else ""


def mask_email(email: str) -> str:
    mailbox, at, domain = email.partition("@")
    return f"{mailbox[:1]}***{at}{domain}" if at else ""


def mask_birthday(birthday: date | None) -> str:
    """****-05-20: enough to wish him well."""
    return f"****-{birthday:%m-%d}" if birthday else ""


def mask_identity(kind: str, value: str) -> str:
    """Whatever a member is known by; of a number or an app's user the last four."""
    mask = {"phone": mask_phone, "email": mask_email}.get(kind)
    return mask(value) if mask else f"…{value[-4:]}"
