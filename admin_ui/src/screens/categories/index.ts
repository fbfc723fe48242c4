import { ApartmentOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/categories",
  title: "title",
  permission: "catalog:read",
  nav: { group: "sell", order: 14, icon: ApartmentOutlined },
  routes: [{ path: "/categories", lazy: page(() => import("./tree")) }],
};
