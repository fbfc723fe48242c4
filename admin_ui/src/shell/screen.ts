import type { ComponentType } from "react";
import type { RouteObject } from "react-router";

export type NavGroup = "home" | "sell" | "orders" | "customers" | "money" | "store" | "platform";
export const NAV_GROUPS: NavGroup[] = ["home", "sell", "orders", "customers", "money", "store", "platform"];

/** One noun of the console. `title` is a key in the words of the screen's folder. `shortcut` is pressed after `g`. */
export interface Screen {
  path: string;
  title: string;
  nav?: { group: NavGroup; order: number; icon: ComponentType; shortcut?: string };
  permission?: string;
  routes: RouteObject[];
}

export interface FoundScreen extends Screen {
  noun: string;
}

const modules = import.meta.glob<{ screen: Screen }>("../screens/*/index.{ts,tsx}", { eager: true });

/** All screens there are: every folder of `screens/` with an `index.ts`. The folder's name is the noun of its words. */
export const screens: FoundScreen[] = Object.entries(modules).map(([path, module]) => ({
  ...module.screen,
  noun: path.split("/").at(-2) ?? "",
}));

/** A lazily loaded component of a route: `lazy: page(() => import("./list"))`, where the module's default export is the component. */
export function page(load: () => Promise<{ default: ComponentType }>): () => Promise<{ Component: ComponentType }> {
  return async () => ({ Component: (await load()).default });
}
