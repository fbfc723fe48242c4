import { GiftOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/coupons",
  title: "title",
  permission: "coupons:read",
  nav: { group: "sell", order: 18, icon: GiftOutlined },
  routes: [{ path: "/coupons", lazy: page(() => import("./list")) }],
};
