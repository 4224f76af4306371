"""What has to be given with a change that is made for somebody, or against him."""

from members.errors import ReasonMissing


def required_reason(written: str) -> str:
    """The reason, without the blanks around it. Raises ReasonMissing."""
    if not written.strip():
        raise ReasonMissing(field="reason")
    return written.strip()
