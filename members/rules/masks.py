"""What is shown of personal data to those who may not read it."""


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
