"""What is wrong with an uploaded file."""

from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class UnreadableFile(Refused):
    code = "unreadable_file"
    message = _("无法读取该文件。请上传 .xlsx，或以 UTF-8、GB18030 编码保存的 .csv。")

    @classmethod
    def old_excel(cls) -> Self:
        return cls(_("这是旧版 .xls 或带密码的工作簿。请在 Excel 中取消密码，另存为 .xlsx 后再上传。"))

    @classmethod
    def web_page(cls) -> Self:
        return cls(_("这是网页文件，不是工作簿。请用 Excel 打开它，另存为 .xlsx 后再上传。"))

    @classmethod
    def being_imported(cls, number: int) -> Self:
        return cls(_("同一个文件已经上传：见导入任务 #%(number)d。请在那里确认或取消。") % {"number": number})

    @classmethod
    def too_large(cls) -> Self:
        return cls(_("文件过大，请拆分成几个文件分别上传。"))

    @classmethod
    def empty(cls) -> Self:
        return cls(_("文件中没有数据行，请在表头下填写后再上传。"))

    @classmethod
    def column_missing(cls, title: str) -> Self:
        return cls(_("缺少“%(title)s”列，请使用模板，第一行保留表头。") % {"title": title})

    @classmethod
    def column_twice(cls, title: str) -> Self:
        return cls(_("“%(title)s”列出现了两次，请删除其中一列。") % {"title": title})


class UploadLost(Refused):
    code = "upload_lost"
    message = _("暂存的数据已不在（服务器重启、密钥更换，或任务已处理）。请重新上传文件；已导入的不会重复。")

    @classmethod
    def while_keys_rotate(cls) -> Self:
        return cls(_("正在更换加密密钥，暂时不能导入。请在更换完成后重新上传文件。"))
