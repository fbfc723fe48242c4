"""The names merchants and their suppliers give to columns, in Chinese and English, and the roles they stand for."""

import re
import unicodedata
from typing import Final, Literal

Role = Literal["code", "secret", "valid_until", "face_value", "pick", "surcharge_minor", "ignore"]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


# A card number identifies the card; a redeeming code may do so when there is no number; a password only when it stands alone.
NUMBERS: Final = _names(
    "卡号 卡券号 券号 卡券编号 卡编号 序列号 账号 帐号 账户 用户名 邮箱 "
    "cardnumber cardno card cardnum cardid serial serialnumber serialno sn account username user email login"
)
CODES: Final = _names(
    "卡密 激活码 兑换码 兑换券码 充值码 充值卡密 券码 卡券码 卡码 礼品码 提货码 注册码 授权码 串码 码 链接 兑换链接 "
    "code codes cdkey cdk key licensekey licencekey license licence activationcode redeemcode redemptioncode giftcode "
    "vouchercode voucher couponcode coupon url link token"
)
PASSWORDS: Final = _names(
    "密码 卡密码 密钥 口令 卡券密码 券密码 兑换密码 验证码 校验码 "
    "pin pincode pinno password passwd pass pwd secret secretcode cvv cardpassword"
)
VALIDITY: Final = _names(
    "有效期 有效期至 有效期限 有效日期 截止日期 截止时间 到期 到期日 到期日期 到期时间 过期时间 失效日期 失效时间 使用期限 "
    "expiry expires expiresat expireson expirydate expirationdate expiration validuntil validthru validto validity enddate"
)
FACE_VALUES: Final = _names("面值 面额 金额 卡面值 facevalue denomination value amount")

PICKS: Final = _names("标签 靓号 选号 自选号 自选号码 展示名 label pick luckynumber")
SURCHARGES: Final = _names("加价分 surchargeminor")  # other names leave open in which unit it is

_noise = re.compile(r"[\s_\-.#:/]+|\(.*?\)|\[.*?\]|【.*?】")


def plain(name: str) -> str:
    """A header's name without case, punctuation, and units in brackets: `面值（元）` and `Face Value` read `面值` and `facevalue`."""
    return _noise.sub("", unicodedata.normalize("NFKC", name).casefold())


def is_header(fields: list[str]) -> bool:
    """Whether a row names columns: it has a card number, code or password column by name."""
    return any(plain(field) in NUMBERS | CODES | PASSWORDS for field in fields)


def roles(fields: list[str]) -> tuple[Role, ...]:
    """The role of each column by its name. Without a card number the redeeming code identifies the card, and failing that the password."""
    names = [plain(field) for field in fields]
    found: list[Role] = ["ignore"] * len(names)
    ranked = [at for kind in (NUMBERS, CODES, PASSWORDS) for at, name in enumerate(names) if name in kind]
    if ranked:
        found[ranked[0]] = "code"
        # 卡密 and 密码 are both secrets beside a 卡号; another number beside it is none.
        for at in ranked[1:]:
            if names[at] not in NUMBERS:
                found[at] = "secret"
                break
    notes: tuple[tuple[frozenset[str], Role], ...] = (
        (VALIDITY, "valid_until"), (FACE_VALUES, "face_value"), (PICKS, "pick"), (SURCHARGES, "surcharge_minor")
    )  # fmt: skip
    for kind, role in notes:
        if first := [at for at, name in enumerate(names) if name in kind][:1]:
            found[first[0]] = role
    return tuple(found)
