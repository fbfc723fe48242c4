"""What the payer sees at the sandbox provider."""

import pytest

from tests.provider import Merchant, Sandbox


class TestPayPage:
    def page(self, sandbox: Sandbox, method: str, pay_url: str, language: str = "") -> tuple[int, dict[str, str], str]:
        headers = {"Accept-Language": language} if language else {}
        status, answered, body = sandbox.request(method, pay_url.removeprefix(sandbox.url), headers=headers)
        return status, dict(answered), body.decode()

    def test_a_payer_without_scripts(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create(description="<b>卡</b> & Co", return_url="http://shop.test/orders/1?a=1&b=2")
        status, headers, page = self.page(sandbox, "GET", pay_url)
        assert (status, headers["content-language"]) == (200, "zh-CN")
        assert all(words in page for words in ("¥99.00", "&lt;b&gt;卡&lt;/b&gt; &amp; Co", out_trade_no, "确认支付", 'name="viewport"'))
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "<script" not in page
        assert " style=" not in page
        status, headers, _ = self.page(sandbox, "POST", pay_url)
        assert (status, headers["location"]) == (303, pay_url.removeprefix(sandbox.url))
        _, _, page = self.page(sandbox, "GET", pay_url)
        assert "支付成功" in page
        assert 'href="http://shop.test/orders/1?a=1&amp;b=2"' in page
        assert "<form" not in page
        assert merchant.query(out_trade_no)[1]["trade_state"] == "SUCCESS"

    @pytest.mark.parametrize(
        ("language", "words"), [("en-GB,en;q=0.9", "Pay ¥99.00"), ("zh-TW,zh;q=0.9", "确认支付"), ("fr,en;q=0.5", "Pay ¥"), ("fr", "确认")]
    )
    def test_language(self, merchant: Merchant, sandbox: Sandbox, language: str, words: str) -> None:
        assert words in self.page(sandbox, "GET", merchant.create()[1], language)[2]

    def test_language_is_kept_when_chosen(self, merchant: Merchant, sandbox: Sandbox) -> None:
        pay_url = merchant.create()[1] + "?lang=en"
        assert self.page(sandbox, "POST", pay_url)[1]["location"].endswith("?lang=en")
        assert "Paid" in self.page(sandbox, "GET", pay_url)[2]

    def test_a_closed_order_shows_no_button_and_takes_nothing(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        merchant.close(out_trade_no)
        assert self.page(sandbox, "POST", pay_url)[0] == 303
        page = self.page(sandbox, "GET", pay_url)[2]
        assert "订单已关闭" in page
        assert "<form" not in page
        assert merchant.query(out_trade_no)[1]["trade_state"] == "CLOSED"

    def test_an_unknown_page_and_the_style(self, sandbox: Sandbox) -> None:
        assert self.page(sandbox, "GET", sandbox.url + "/pay/sp0")[0] == 404
        assert self.page(sandbox, "GET", sandbox.url + "/pay.css")[1]["content-type"].startswith("text/css")
