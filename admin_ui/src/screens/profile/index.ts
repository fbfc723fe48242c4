import { page, type Screen } from "@/shell/screen";

export const screen: Screen = { path: "/profile", title: "title", routes: [{ path: "/profile", lazy: page(() => import("./profile")) }] };
