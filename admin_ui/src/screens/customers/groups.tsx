import { Button, Card, Select } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useBuyerGroups, useJoinGroup, useLeaveGroup } from "../../api/shoppers";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useSay } from "../../ui/say";

/** Into which group of buyers somebody is put, which decides his prices. */
export function Groups({ shopperId }: { shopperId: string }) {
  const t = useWords("customers");
  const may = useMay();
  const say = useSay("customers");
  const { data: groups } = useBuyerGroups(true);
  const join = useJoinGroup();
  const leave = useLeaveGroup();
  const [group, setGroup] = useState<string | null>(null);
  const act = (what: typeof join | typeof leave, text: string) =>
    group !== null && what.mutate({ group, shopper: shopperId }, { onSuccess: () => say.done(t(text)), onError: say.problem });
  return (
    <Card size="small" title={t("section.groups")}>
      {groups?.length === 0 ? (
        <span className="muted">{t("groups.none")} <Link to="/prices">{t("groups.create")}</Link></span>
      ) : (
        <div className="stack" style={{ gap: 8 }}>
          <span className="muted">{t("groups.about")}</span>
          <Select
            aria-label={t("groups.which")} placeholder={t("groups.which")} value={group} onChange={(value: string | null) => setGroup(value ?? null)} allowClear showSearch={{ optionFilterProp: "label" }}
            options={(groups ?? []).map((each) => ({ value: each.id, label: each.name }))}
          />
          {may("prices:write") && (
            <div className="row">
              <Button size="small" disabled={group === null} loading={join.isPending} onClick={() => act(join, "groups.joined")}>
                {t("groups.join")}
              </Button>
              <Button size="small" disabled={group === null} loading={leave.isPending} onClick={() => act(leave, "groups.left")}>
                {t("groups.leave")}
              </Button>
            </div>
          )}
        </div>
      )}
    </Card>
  );
}
