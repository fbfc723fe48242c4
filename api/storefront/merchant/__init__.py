"""The merchant's page: enough to import codes and put them on sale. It grows into the console."""

from api.storefront.merchant import desk, imports, sales, session

route_handlers = [
    session.form, session.sign_in, session.sign_out,
    desk.show, desk.add_product,
    imports.form, imports.preview, imports.load, imports.report,
    sales.form, sales.create, sales.pause, sales.resume, sales.ask_end, sales.end,
]  # fmt: skip
