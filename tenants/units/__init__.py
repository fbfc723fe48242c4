"""Units: the single pieces of stock. In which order they are issued, who set them aside and why, when they end, what replaced them.

Orders hold and sell units (`tenants.orders.allot`); here is what staff and time do with them.
"""
