"""The mail that asks a shopper again."""

from typing import Final

from tenants.mails.words import Words, bring

SENT_BACK: Final = bring("topup_sent_back", {
    "zh-CN": Words("请更正充值信息：{sku}", (
        "您好，您在店铺“{store}”购买的“{sku}”暂时无法充值，您的款项没有变化。",
        "店铺的说明：", "{reason}",
        "请在 {until} 之前到下单的地方更正充值账号，或联系店铺。订单号：", "#{number}",
        "如果您没有在这家店铺购买过，请不要理会这封邮件。",
    )),
    "en": Words("Please correct the account: {sku}", (
        "“{sku}”, which you bought at {store}, cannot be topped up as it is. Your money is safe.",
        "The store says:", "{reason}",
        "Correct the account where you bought it, until {until}, or ask the store. The number of your order:", "#{number}",
        "If you bought nothing there, do nothing.",
    )),
})  # fmt: skip
