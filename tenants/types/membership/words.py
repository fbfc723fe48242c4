"""The mail that reminds a member of the end."""

from typing import Final

from tenants.mails.words import Words, bring

_RENEW = ">/at/{slug}/sales/{sale}"

ENDING: Final = bring("membership_ending", {
    "zh-CN": Words("会员即将到期：{sku}", (
        "您好，您在店铺“{store}”的会员“{sku}”将于 {until} 到期。",
        "续费请打开下面的链接，新的周期从到期时起算：", _RENEW,
        "如果不再需要，请不要理会这封邮件：到期后自动结束，不会扣款。",
    )),
    "en": Words("Your membership ends soon: {sku}", (
        "Your membership “{sku}” of the store “{store}” ends on {until}.",
        "To renew it open this link; what you buy begins where it ends:", _RENEW,
        "If you do not need it any more, do nothing: it ends by itself, and nothing is charged.",
    )),
})  # fmt: skip
