"""Why a consent can't be given or taken back."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class ConsentOutdated(Refused):
    """Sent late: since then the member has taken it back."""

    code = "consent_outdated"
    message = _("会员此后已撤回同意，迟到的同意不再生效；请重新征得同意。")
    status = 409


class ConsentReceiverInvalid(Refused):
    code = "consent_receiver_invalid"
    message = _("同意的接收方应是集团或一个业态。")


class TermsNotWithdrawable(Refused):
    code = "terms_not_withdrawable"
    message = _("撤回会员章程即不再是会员：请办理注销。")
    status = 409
