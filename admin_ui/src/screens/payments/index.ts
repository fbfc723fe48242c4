import { PayCircleOutlined } from "@ant-design/icons";
import { page, type Screen } from "../../shell/screen";

export const screen: Screen = {
  path: "/payments",
  title: "title",
  nav: { group: "money", order: 10, icon: PayCircleOutlined, shortcut: "m" },
  permission: "orders:read",
  routes: [{ path: "/payments", lazy: page(() => import("./tabs")) }],
};
