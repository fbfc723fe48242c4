import { Checkbox, Tag, Tooltip } from "antd";
import { useMay } from "../shell/session";
import { useWords } from "../shell/words";

/** All there are, as `tenants/permissions.py` has them, in the order in which people look for them. */
export const PERMISSIONS: Record<string, string[]> = {
  catalog: ["catalog:read", "catalog:write", "prices:read", "prices:write", "coupons:read", "coupons:write"],
  vault: ["vault:read", "vault:write", "codes:reveal", "codes:find", "codes:export", "keys:write"],
  sales: ["sales:read", "sales:write"],
  orders: ["orders:read", "orders:write", "payments:write"],
  customers: ["customers:read", "customers:write", "points:read", "points:write"],
  store: ["store:read", "store:write", "qualifications:write"],
  people: ["staff:read", "staff:write", "audit:read"],
  programs: ["api_keys:write", "webhooks:read", "webhooks:write"],
};

export function PermissionList({ permissions }: { permissions: string[] }) {
  const t = useWords("permissions");
  return (
    <div className="row" style={{ gap: 4 }}>
      {permissions.map((permission) => (
        <Tooltip key={permission} title={permission}>
          <Tag>{t(permission)}</Tag>
        </Tooltip>
      ))}
    </div>
  );
}

interface Props {
  value?: string[];
  onChange?: (permissions: string[]) => void;
}

/** A set of permissions, by groups. What oneself does not have cannot be given. */
export function PermissionChoice({ value = [], onChange }: Props) {
  const t = useWords("permissions");
  const may = useMay();
  const change = (changed: string[], on: boolean) => onChange?.(on ? [...new Set([...value, ...changed])] : value.filter((each) => !changed.includes(each)));
  return (
    <div className="stack" style={{ gap: 12 }}>
      {Object.entries(PERMISSIONS).map(([group, inside]) => {
        const givable = inside.filter((permission) => may(permission));
        const on = inside.filter((permission) => value.includes(permission));
        return (
          <fieldset key={group} style={{ border: 0, margin: 0, padding: 0 }}>
            <Checkbox
              checked={on.length === inside.length} indeterminate={on.length > 0 && on.length < inside.length} disabled={givable.length === 0}
              onChange={(event) => change(givable, event.target.checked)}
            >
              <strong>{t(`group.${group}`)}</strong>
            </Checkbox>
            <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(190px, 1fr))", gap: 4, margin: "4px 0 0 24px" }}>
              {inside.map((permission) => (
                <Checkbox
                  key={permission} checked={value.includes(permission)} disabled={!may(permission)} title={may(permission) ? permission : t("beyond")}
                  onChange={(event) => change([permission], event.target.checked)}
                >
                  {t(permission)}
                </Checkbox>
              ))}
            </div>
          </fieldset>
        );
      })}
    </div>
  );
}
