"""The merchant's page: enough to import codes and put them on sale. It grows into the console."""

from api.storefront.merchant import desk, imports, letters, sales, session

route_handlers = [
    session.form, session.sign_in, session.sign_out,
    letters.forgotten, letters.ask_reset, letters.confirm_form, letters.confirm, letters.password_form, letters.set_password,
    letters.mail_form, letters.set_mail, letters.invitation_form, letters.join,
    desk.show, desk.add_product,
    imports.form, imports.preview, imports.load, imports.report,
    sales.form, sales.create, sales.pause, sales.resume, sales.ask_end, sales.end,
]  # fmt: skip
