"""What our mails say. A line that begins with `>` is a link below the platform's address, or whole addresses with blanks between; one with
`#` is a code to be typed in."""

import string
from typing import Final, NamedTuple

LOCALES: Final = ("zh-CN", "en")


class Words(NamedTuple):
    """A subject and paragraphs; `{name}` is a value that the sender gives."""

    subject: str
    lines: tuple[str, ...]


_CONFIRM = "/merchant/confirm?token={token}"
_RESET = "/merchant/new-password?token={token}"
_MAIL = "/merchant/new-mail?token={token}"
_INVITATION = "/merchant/invitation?token={token}"

TEMPLATES: Final[dict[str, dict[str, Words]]] = {
    "sign_up": {
        "zh-CN": Words("确认注册：{store}", (
            "您好，有人用这个邮箱注册了店铺“{store}”。",
            "如果是您本人，请在 24 小时内打开下面的链接并确认：", f">{_CONFIRM}",
            "也可以把这个确认码交给您的程序：", "#{token}",
            "如果不是您，请不要理会这封邮件，什么都不会发生。",
        )),
        "en": Words("Confirm your sign-up: {store}", (
            "Somebody signed up the store “{store}” with this mail address.",
            "If it was you, open this link within 24 hours and confirm:", f">{_CONFIRM}",
            "Or hand this code to your program:", "#{token}",
            "If it was not you, do nothing: nothing will happen.",
        )),
    },
    "known": {
        "zh-CN": Words("您已经有账号了", (
            "您好，有人用这个邮箱再次注册，但它已经有一个账号。没有任何改动。",
            "请直接登录；忘记密码时可以重设：", ">/console",
            "如果不是您，请不要理会这封邮件。",
        )),
        "en": Words("You already have an account", (
            "Somebody signed up with this mail address, which has an account already. Nothing was changed.",
            "Sign in instead; if you forgot your password you can reset it there:", ">/console",
            "If it was not you, do nothing.",
        )),
    },
    "password_reset": {
        "zh-CN": Words("重设密码", (
            "您好，有人要求重设这个账号的密码。",
            "如果是您本人，请在 30 分钟内打开下面的链接：", f">{_RESET}",
            "也可以把这个重设码交给您的程序：", "#{token}",
            "如果不是您，请不要理会这封邮件，密码不会改变。",
        )),
        "en": Words("Reset your password", (
            "Somebody asked to reset the password of this account.",
            "If it was you, open this link within 30 minutes:", f">{_RESET}",
            "Or hand this code to your program:", "#{token}",
            "If it was not you, do nothing: the password stays as it is.",
        )),
    },
    "unknown": {
        "zh-CN": Words("这个邮箱没有账号", (
            "您好，有人要求重设密码，但这个邮箱没有账号。您可能是用另一个邮箱注册的。",
            "如果不是您，请不要理会这封邮件。",
        )),
        "en": Words("There is no account with this mail address", (
            "Somebody asked to reset a password, but no account has this mail address. Perhaps you signed up with another one.",
            "If it was not you, do nothing.",
        )),
    },
    "password_changed": {
        "zh-CN": Words("密码已更改", (
            "您好，这个账号的密码刚刚更改，其他登录都已退出。",
            "如果不是您，请立即重设密码：", ">/merchant/forgotten",
        )),
        "en": Words("Your password was changed", (
            "The password of this account has just been changed, and its other sessions were ended.",
            "If it was not you, reset it at once:", ">/merchant/forgotten",
        )),
    },
    "new_mail": {
        "zh-CN": Words("确认新邮箱", (
            "您好，有人要把一个账号的邮箱改成这个地址。",
            "如果是您本人，请在 24 小时内打开下面的链接并确认：", f">{_MAIL}",
            "也可以把这个确认码交给您的程序：", "#{token}",
            "如果不是您，请不要理会这封邮件。",
        )),
        "en": Words("Confirm your new mail address", (
            "Somebody wants to make this the mail address of an account.",
            "If it was you, open this link within 24 hours and confirm:", f">{_MAIL}",
            "Or hand this code to your program:", "#{token}",
            "If it was not you, do nothing.",
        )),
    },
    "mail_changed": {
        "zh-CN": Words("邮箱已更改", (
            "您好，您账号的邮箱刚刚改成了另一个地址，今后请用新邮箱登录。",
            "如果不是您，请立即联系平台。",
        )),
        "en": Words("Your mail address was changed", (
            "The mail address of your account has just been changed to another one; sign in with that from now on.",
            "If it was not you, tell the platform at once.",
        )),
    },
    "totp_changed": {
        "zh-CN": Words("两步验证已{change}", (
            "您好，这个账号的两步验证刚刚{change}。",
            "如果不是您，请立即重设密码：", ">/merchant/forgotten",
        )),
        "en": Words("Two-step sign-in was {change}", (
            "Two-step sign-in of this account has just been {change}.",
            "If it was not you, reset your password at once:", ">/merchant/forgotten",
        )),
    },
    "invitation": {
        "zh-CN": Words("邀请您加入店铺：{store}", (
            "您好，店铺“{store}”邀请您加入他们的团队。",
            "请在 7 天内打开下面的链接接受邀请：", f">{_INVITATION}",
            "也可以把这个邀请码交给您的程序：", "#{token}",
            "如果您不认识对方，请不要理会这封邮件。",
        )),
        "en": Words("An invitation to the store {store}", (
            "You are invited to work in the store “{store}”.",
            "Open this link within 7 days to accept:", f">{_INVITATION}",
            "Or hand this code to your program:", "#{token}",
            "If you do not know them, do nothing.",
        )),
    },
    "stock_low": {
        "zh-CN": Words("库存不足：{sku}", (
            "您好，店铺“{store}”的商品“{sku}”现在还可以出售 {units} 件，已不多于您设定的 {low_stock_at} 件。",
            "请尽快补货；库存回升到这个数量以上之前，不会再次提醒。",
        )),
        "en": Words("Low stock: {sku}", (
            "“{sku}” of the store “{store}” has {units} units left to sell, no more than the {low_stock_at} you want to be told at.",
            "Load more soon. Until there are more than that again, nothing further is said.",
        )),
    },
    "product_refused": {
        "zh-CN": Words("商品未通过审核：{product}", (
            "您好，店铺“{store}”的商品“{product}”没有通过平台的内容审核，顾客已看不到这一版本。",
            "原因：", "{reasons}",
            "修改后会再次送审。",
        )),
        "en": Words("A product was refused: {product}", (
            "The platform looked at the product “{product}” of the store “{store}” and refused it. Shoppers do not see it as it is.",
            "For these reasons:", "{reasons}",
            "When you change it, it is looked at again.",
        )),
    },
    "qualification_decided": {
        "zh-CN": Words("资质审核结果：{state}", (
            "您好，店铺“{store}”的资质（{kind}）现在的状态是：{state}。",
            "{reasons}",
            "详情和下一步可通过 API 的 GET /v1/qualifications 查看。",
        )),
        "en": Words("Your qualification: {state}", (
            "The qualification {kind} of the store “{store}” is now {state}.",
            "{reasons}",
            "What it says and what can be done is at GET /v1/qualifications of the API.",
        )),
    },
    "order_ready": {
        "zh-CN": Words("您在“{store}”的订单", (
            "您好，您在“{store}”的订单已经交付。",
            "请打开下面的链接，用下单时留下的联系方式或查询密码查看：", ">{link}",
            "订单号：", "#{number}",
            "如果您没有在这家店铺购买过，请不要理会这封邮件。",
        )),
        "en": Words("Your order at {store}", (
            "Your order at {store} has been delivered.",
            "Open this link and say the contact or the password that was left with the order:", ">{link}",
            "Its number:", "#{number}",
            "If you bought nothing there, do nothing.",
        )),
    },
    "reminder_confirm": {
        "zh-CN": Words("确认开售提醒：{sale}", (
            "您好，有人想在“{store}”的“{sale}”开售或补货时收到邮件提醒，留下了这个邮箱。",
            "如果是您本人，请在 24 小时内打开下面的链接并确认；也可以在那里取消：", ">{link}",
            "如果不是您，请不要理会这封邮件，我们不会再发。",
        )),
        "en": Words("Confirm your reminder: {sale}", (
            "Somebody wants to be told at this address when “{sale}” of {store} begins, or has something again.",
            "If it was you, open this link within 24 hours and confirm; there you can also end it:", ">{link}",
            "If it was not you, do nothing: no other mail follows.",
        )),
    },
    "sale_start": {
        "zh-CN": Words("即将开售：{sale}", (
            "您好，您在“{store}”关注的“{sale}”马上开售：", ">{link}",
            "这是唯一一封提醒，您的邮箱已从提醒名单中删除。",
        )),
        "en": Words("Starts soon: {sale}", (
            "“{sale}” of {store}, of which you wanted to be told, starts soon:", ">{link}",
            "This is the only reminder, and your address is off the list.",
        )),
    },
    "sale_back": {
        "zh-CN": Words("又有货了：{sale}", (
            "您好，您在“{store}”关注的“{sale}”又有货了，数量有限：", ">{link}",
            "这是唯一一封提醒，您的邮箱已从提醒名单中删除。",
        )),
        "en": Words("There is something again: {sale}", (
            "“{sale}” of {store}, of which you wanted to be told, has something again, though not for everybody:", ">{link}",
            "This is the only reminder, and your address is off the list.",
        )),
    },
    "order_numbers": {
        "zh-CN": Words("您在“{store}”的订单号", (
            "您好，有人要求把留有这个邮箱的订单号发到这里。最近 {days} 天的订单（最多 {most} 个）：", ">{links}",
            "打开链接后，请输入下单时留下的联系方式或查询密码。",
            "如果不是您，请不要理会这封邮件。",
        )),
        "en": Words("The numbers of your orders at {store}", (
            "Somebody asked for the numbers of the orders with this mail address. Those of the last {days} days, {most} at most:",
            ">{links}",
            "Behind each link say the contact or the password that was left with the order.",
            "If it was not you, do nothing.",
        )),
    },
}  # fmt: skip


def bring(name: str, by_locale: dict[str, Words]) -> str:
    """Add a mail that is somebody else's to word, such as a product type's; its name."""
    assert name not in TEMPLATES, name
    TEMPLATES[name] = by_locale
    return name


def fields(words: Words) -> set[str]:
    """The values that a mail speaks of."""
    return {name for text in (words.subject, *words.lines) for _, name, _, _ in string.Formatter().parse(text) if name}
