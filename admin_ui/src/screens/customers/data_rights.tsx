import { DownloadOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Checkbox, Input, Modal } from "antd";
import { useState } from "react";
import { download } from "../../api/order_exports";
import { useDataRequests, useEraseShopper, useExportShopper, type DataRequest, type Shopper } from "../../api/shoppers";
import { useMay } from "../../shell/session";
import { useWords } from "../../shell/words";
import { Moment } from "../../ui/moment";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { mayErase, proofOf } from "./erasing";

/** What a customer may ask for: all that is held about him, and that it be erased. */
export function DataRights({ shopper }: { shopper: Shopper }) {
  const t = useWords("customers");
  const may = useMay();
  const say = useSay("customers");
  const { data: requests } = useDataRequests(shopper.id);
  const ask = useExportShopper();
  const [erasing, setErasing] = useState(false);
  const able = mayErase(shopper);
  return (
    <Card size="small" title={t("section.data")}>
      <div className="stack" style={{ gap: 10 }}>
        <span className="muted">{t("export.about")}</span>
        <Button loading={ask.isPending} onClick={() => ask.mutate(shopper.id, { onSuccess: () => say.done(t("export.done")), onError: say.problem })}>
          {t("export")}
        </Button>
        {requests?.map((each) => <Made key={each.id} made={each} />)}
        {may("customers:write") && able !== "done" && (
          <>
            <Button danger disabled={able === "unfinished"} onClick={() => setErasing(true)}>
              {t("erase")}
            </Button>
            {able === "unfinished" && <span className="muted">{t("erase.unfinished", { n: shopper.unfinished })}</span>}
          </>
        )}
      </div>
      {erasing && <Erase shopper={shopper} onClose={() => setErasing(false)} />}
    </Card>
  );
}

function Made({ made }: { made: DataRequest }) {
  const t = useWords("customers");
  const say = useSay("customers");
  const isExport = made.kind === "shopper_export";
  return (
    <div className="row" style={{ justifyContent: "space-between" }}>
      <span>
        {t(isExport ? "request.export" : "request.erasure")} · {t(`request.${made.state}`)} · <Moment at={made.created_at} />
      </span>
      {isExport && made.state === "done" && (
        <Button size="small" icon={<DownloadOutlined />} onClick={() => void download(`/v1/data-requests/${made.id}/archive`, "customer.zip").catch(say.problem)}>
          {t("request.download")}
        </Button>
      )}
    </div>
  );
}

/** For good, so it is confirmed twice: that it is understood, and who is meant. */
function Erase({ shopper, onClose }: { shopper: Shopper; onClose: () => void }) {
  const t = useWords("customers");
  const say = useSay("customers");
  const erase = useEraseShopper();
  const [understood, setUnderstood] = useState(false);
  const [typed, setTyped] = useState("");
  const proof = proofOf(shopper.id);
  const go = () =>
    erase.mutate(shopper.id, {
      onSuccess: () => {
        say.done(t("erase.done"));
        onClose();
      },
    });
  return (
    <Modal
      open title={t("erase.title")} okText={t("erase.ok")} cancelText={t("cancel")} onCancel={onClose} onOk={go}
      okButtonProps={{ danger: true, disabled: !understood || typed.trim() !== proof, loading: erase.isPending }}
    >
      <div className="stack">
        {erase.isError && <ProblemNote error={erase.error} noun="customers" />}
        <Alert type="error" showIcon title={t("erase.text", { n: shopper.orders })} description={t("erase.stays")} />
        <Checkbox checked={understood} onChange={(event) => setUnderstood(event.target.checked)}>
          {t("erase.understood")}
        </Checkbox>
        <label>
          {t("erase.proof", { proof })}
          <Input value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" maxLength={6} disabled={!understood} />
        </label>
      </div>
    </Modal>
  );
}
