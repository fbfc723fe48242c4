import { Card, Segmented } from "antd";
import { useState } from "react";
import type { Store } from "@/api/store";
import { useWords } from "@/shell/words";
import { StoreImage } from "@/ui";
import { ink } from "./ink";

// Of the store's own style sheet, where nothing was chosen.
const OWN = { light: { accent: "#0b6a57", page: "#faf8f4", card: "#ffffff", text: "#1d1b17" }, dark: { accent: "#62c9af", page: "#131210", card: "#1c1b18", text: "#f0ede6" } };

/** The store's front as the draft would make it look, by day and by night. */
export function Preview({ store }: { store: Store }) {
  const t = useWords("settings");
  const [scheme, setScheme] = useState<"light" | "dark">("light");
  const own = OWN[scheme];
  const bar = (scheme === "light" ? store.primary_color : store.primary_color_dark) ?? own.card;
  const accent = (scheme === "light" ? store.accent_color : store.accent_color_dark) ?? own.accent;
  const { logo, banner } = store.images;
  return (
    <Card
      title={t("preview")} style={{ position: "sticky", top: 68 }} styles={{ body: { padding: 12 } }}
      extra={<Segmented size="small" value={scheme} onChange={setScheme} options={[{ value: "light", label: t("preview.light") }, { value: "dark", label: t("preview.dark") }]} />}
    >
      <div aria-hidden="true" data-testid="preview" style={{ background: own.page, color: own.text, borderRadius: 8, overflow: "hidden", fontSize: 13 }}>
        {store.banner !== "" && <div style={{ background: own.card, color: own.text, padding: "6px 10px", textAlign: "center", overflowWrap: "anywhere" }}>{store.banner}</div>}
        <div style={{ display: "flex", gap: 8, alignItems: "center", padding: "10px 12px", fontWeight: 600, background: bar, color: ink(bar) }}>
          {logo && <StoreImage path={logo.path} alt="" style={{ height: 24, maxWidth: 80 }} />}
          <span style={{ overflowWrap: "anywhere" }}>{store.name}</span>
        </div>
        {banner && <StoreImage path={banner.path} alt="" style={{ width: "100%", maxHeight: 110, objectFit: "cover", display: "block" }} />}
        {store.notice !== "" && <div style={{ margin: "8px 12px", padding: "8px 10px", borderLeft: `3px solid ${accent}`, background: own.card, whiteSpace: "pre-line", overflowWrap: "anywhere" }}>{store.notice}</div>}
        <div style={{ display: "grid", gridTemplateColumns: "1fr 1fr", gap: 10, padding: 12 }}>
          {[1, 2].map((n) => (
            <div key={n} style={{ background: own.card, borderRadius: 8, padding: 10 }}>
              <div style={{ height: 46, borderRadius: 6, background: `linear-gradient(135deg, ${bar}, ${accent})`, opacity: 0.85 }} />
              <div style={{ margin: "8px 0 2px", fontWeight: 500 }}>{t("preview.product")}</div>
              <div style={{ fontWeight: 600 }}>¥ 198.00</div>
              <div style={{ background: accent, color: ink(accent), textAlign: "center", padding: "5px 0", borderRadius: 6, marginTop: 8 }}>{t("preview.buy")}</div>
            </div>
          ))}
        </div>
        <div style={{ padding: "8px 12px 12px", opacity: 0.75, whiteSpace: "pre-line", overflowWrap: "anywhere", fontSize: 12 }}>
          {store.footer}
          {store.contact !== "" && <div>{t("preview.contact")} {store.contact}</div>}
        </div>
      </div>
    </Card>
  );
}
