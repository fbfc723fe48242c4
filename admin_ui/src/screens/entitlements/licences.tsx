import { Button, Card, Tag } from "antd";
import { useFreeDevice, useSuspendLicence, type LicenceOfOrder } from "../../api/entitlements";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useConfirm } from "../../ui/confirm";
import { Moment } from "../../ui/moment";
import { useSay } from "../../ui/say";

const COLORS: Record<string, string> = { VALID: "success", SUSPENDED: "warning", EXPIRED: "default" };

/** The licences of an order: what each is worth now, and the devices that it is on. */
export function LicencesOfOrder({ licences }: { licences: LicenceOfOrder[] }) {
  const t = useWords("entitlements");
  return (
    <Card size="small" title={t("licences")} style={{ marginBottom: 16 }}>
      <div className="stack" style={{ gap: 12 }}>
        {licences.map((each) => (
          <Licence key={each.unit} one={each} />
        ))}
      </div>
    </Card>
  );
}

function Licence({ one }: { one: LicenceOfOrder }) {
  const t = useWords("entitlements");
  const may = useMay();
  const say = useSay("entitlements");
  const confirm = useConfirm("entitlements");
  const suspend = useSuspendLicence();
  const free = useFreeDevice();
  const { licence, devices, unit } = one;
  const isSuspended = licence.code === "SUSPENDED";
  const switchIt = () =>
    isSuspended
      ? suspend.mutate({ unit, on: false }, { onSuccess: () => say.done(t("reinstate.done")), onError: say.problem })
      : confirm({
          title: t("suspend.title", { unit: String(unit) }), text: t("suspend.text", { n: devices.length }), ok: t("suspend"), danger: true,
          act: () => suspend.mutateAsync({ unit, on: true }).then(() => say.done(t("suspend.done"))),
        });
  return (
    <section>
      <div className="row">
        <span className="number">#{unit}</span>
        <Tag color={COLORS[licence.code] ?? "error"}>{t(`verdict.${licence.code}`)}</Tag>
        <span className="muted">
          {t("devices", { n: licence.devices ?? 0, max: licence.devices_max ?? 0 })} · {t("column.until")} <Moment at={licence.expires_at} none={t("forever")} />
        </span>
        {may("orders:write") && licence.code !== "REVOKED" && (
          <Button size="small" loading={suspend.isPending} onClick={switchIt}>
            {t(isSuspended ? "reinstate" : "suspend")}
          </Button>
        )}
      </div>
      {devices.map((each) => (
        <div key={each.device} className="row muted" style={{ marginTop: 4 }}>
          <span style={{ overflowWrap: "anywhere" }}>{each.device}</span>
          <Moment at={each.activated_at} />
          {may("orders:write") && (
            <Button size="small" type="link" onClick={() => free.mutate({ unit, device: each.device }, { onSuccess: () => say.done(t("free.done")), onError: say.problem })}>
              {t("free")}
            </Button>
          )}
        </div>
      ))}
    </section>
  );
}
