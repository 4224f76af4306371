"""How the OpenAPI document describes a channel's credentials; imported by config/api.py for its effect."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension

SIGNATURE = _(
    "`Authorization: Wutong-HMAC-SHA256 key=<密钥编号>, timestamp=<Unix 秒>, nonce=<8–64 个字符，每次不同>, "
    "signature=<十六进制>`。签名 = HMAC-SHA256(密钥, 以换行连接的：timestamp、nonce、大写方法、"
    "带查询串的路径、请求体 SHA-256 的十六进制)。时间戳允许相差 300 秒，nonce 只能用一次。"
)


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "members.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": str(_("`Authorization: Bearer <密钥编号>.<密钥>`。")),
        }


class SignatureScheme(OpenApiAuthenticationExtension):
    target_class = "members.api.authentication.SignatureAuthentication"
    name = "signature"

    def get_security_definition(self, auto_schema) -> dict:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": str(SIGNATURE)}
