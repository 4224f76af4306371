from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel


class Request(models.Model):
    """A reference that was used, what for, and the answer given: the same reference gets the same answer again.

    Claimed by INSERT … ON CONFLICT inside the transaction of the verb itself, so a refused request leaves no row.
    """

    channel = models.ForeignKey(Channel, models.PROTECT, verbose_name=_("渠道"))
    reference = models.CharField(_("参考号"), max_length=120)
    verb = models.CharField(_("动作"), max_length=40)
    input_hash = models.CharField(max_length=64, blank=True)
    answer = models.JSONField(_("答复"), null=True)
    created_at = models.DateTimeField(_("时间"), auto_now_add=True)

    class Meta:
        verbose_name = _("请求")
        verbose_name_plural = pgettext_lazy("plural", "请求")
        constraints = (
            models.UniqueConstraint(fields=["channel", "reference"], name="request_reference_is_unique_in_its_channel"),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.reference}"
