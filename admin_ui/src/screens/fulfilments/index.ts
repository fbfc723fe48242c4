import { CarryOutOutlined } from "@ant-design/icons";
import { page, type Screen } from "../../shell/screen";

export const screen: Screen = {
  path: "/fulfilments",
  title: "title",
  nav: { group: "orders", order: 20, icon: CarryOutOutlined, shortcut: "f" },
  permission: "orders:read",
  routes: [{ path: "/fulfilments", lazy: page(() => import("./list")) }],
};
