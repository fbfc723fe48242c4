import { theme, type ThemeConfig } from "antd";
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";

export type Scheme = "system" | "light" | "dark";
const SCHEME = "tessera.scheme";

const dark = matchMedia("(prefers-color-scheme: dark)");
const listen = (change: () => void) => {
  dark.addEventListener("change", change);
  return () => dark.removeEventListener("change", change);
};

interface Look {
  scheme: Scheme;
  isDark: boolean;
  choose: (scheme: Scheme) => void;
}

const Context = createContext<Look>({ scheme: "system", isDark: false, choose: () => undefined });

export function LookProvider({ children }: { children: ReactNode }) {
  const [scheme, setScheme] = useState<Scheme>(() => (localStorage.getItem(SCHEME) as Scheme | null) ?? "system");
  const systemIsDark = useSyncExternalStore(listen, () => dark.matches);
  const isDark = scheme === "dark" || (scheme === "system" && systemIsDark);
  useEffect(() => {
    document.documentElement.dataset["scheme"] = isDark ? "dark" : "light";
    document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  }, [isDark]);
  const choose = (next: Scheme) => {
    localStorage.setItem(SCHEME, next);
    setScheme(next);
  };
  return <Context value={{ scheme, isDark, choose }}>{children}</Context>;
}

export const useLook = () => useContext(Context);

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The one place where the console's looks are decided. Contrasts are at least 4.5:1 for text, light and dark. */
export function tokens(isDark: boolean): ThemeConfig {
  const accent = isDark ? "#3aa68c" : "#12685a";
  return {
    algorithm: isDark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      colorPrimary: accent,
      colorPrimaryBg: isDark ? "#1c322d" : "#e6f3ef",
      colorPrimaryBgHover: isDark ? "#234039" : "#d2eae3",
      colorPrimaryBorder: isDark ? "#2d5a4f" : "#a9d5c8",
      colorInfo: isDark ? "#85b8ff" : "#1d5fbf",
      colorLink: isDark ? "#63c7ae" : "#0f5a4e",
      colorSuccess: isDark ? "#62d08b" : "#237a46",
      colorWarning: isDark ? "#f0b94f" : "#a15c00",
      colorError: isDark ? "#ff7f77" : "#c0322b",
      colorInfoBg: isDark ? "#14233d" : "#eaf2ff",
      colorInfoBorder: isDark ? "#27457a" : "#b9d3fa",
      colorSuccessBg: isDark ? "#14291c" : "#e8f6ec",
      colorSuccessBorder: isDark ? "#275a3a" : "#b3dfc1",
      colorWarningBg: isDark ? "#2d230f" : "#fff6e0",
      colorWarningBorder: isDark ? "#5e4a1e" : "#f0d28c",
      colorErrorBg: isDark ? "#331715" : "#fdeeed",
      colorErrorBorder: isDark ? "#6a2f2b" : "#f3bdb9",
      colorTextSecondary: isDark ? "rgba(255,255,255,0.72)" : "rgba(0,0,0,0.68)",
      colorTextTertiary: isDark ? "rgba(255,255,255,0.62)" : "rgba(0,0,0,0.58)",
      colorTextDescription: isDark ? "rgba(255,255,255,0.62)" : "rgba(0,0,0,0.6)",
      colorTextPlaceholder: isDark ? "rgba(255,255,255,0.58)" : "rgba(0,0,0,0.56)",
      colorTextHeading: isDark ? "rgba(255,255,255,0.92)" : "rgba(0,0,0,0.9)",
      colorBgLayout: isDark ? "#101413" : "#f5f6f5",
      colorBgContainer: isDark ? "#171c1b" : "#ffffff",
      colorBgElevated: isDark ? "#1e2524" : "#ffffff",
      colorBorderSecondary: isDark ? "#2a3331" : "#e8ebea",
      borderRadius: 6,
      fontSize: 14,
      fontFamily:
        '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "WenQuanYi Micro Hei", "Noto Sans CJK SC", sans-serif',
      fontFamilyCode: 'ui-monospace, SFMono-Regular, "JetBrains Mono", Menlo, Consolas, monospace',
      wireframe: false,
      motion: !still.matches,
      motionDurationFast: still.matches ? "0s" : "0.1s",
      motionDurationMid: still.matches ? "0s" : "0.15s",
      motionDurationSlow: still.matches ? "0s" : "0.2s",
    },
    components: {
      Layout: { bodyBg: "transparent", headerBg: isDark ? "#171c1b" : "#ffffff", siderBg: isDark ? "#171c1b" : "#ffffff", headerHeight: 52 },
      Menu: { itemBorderRadius: 6, itemHeight: 34, itemMarginBlock: 2, activeBarBorderWidth: 0, itemSelectedColor: isDark ? "#7fd6bf" : "#0f5a4e", itemSelectedBg: isDark ? "#1f3530" : "#e3f1ed" },
      Table: { cellPaddingBlock: 10, cellPaddingInline: 12, headerBg: isDark ? "#1b2120" : "#fafbfa", headerSplitColor: "transparent" },
      Button: { primaryShadow: "none", defaultShadow: "none", dangerShadow: "none", primaryColor: isDark ? "#06120f" : "#ffffff" },
      Card: { bodyPadding: 20, headerHeight: 48 },
      Drawer: { paddingLG: 20 },
    },
  };
}
