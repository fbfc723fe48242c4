import { SafetyOutlined } from "@ant-design/icons";
import { page, type Screen } from "@/shell/screen";

export const screen: Screen = {
  path: "/vault",
  title: "title",
  permission: "vault:read",
  nav: { group: "sell", order: 20, icon: SafetyOutlined, shortcut: "v" },
  routes: [
    { path: "/vault", lazy: page(() => import("./stock")) },
    { path: "/vault/import", lazy: page(() => import("./wizard")) },
    { path: "/vault/imports", lazy: page(() => import("./imports")) },
    { path: "/vault/imports/:id", lazy: page(() => import("./report")) },
    { path: "/vault/units", lazy: page(() => import("./units")) },
    { path: "/vault/batches", lazy: page(() => import("./batches")) },
    { path: "/vault/exports", lazy: page(() => import("./exports")) },
    { path: "/vault/watches", lazy: page(() => import("./watches")) },
    { path: "/vault/keys", lazy: page(() => import("./keys")) },
  ],
};
