import { Alert, Button, Drawer, Form, Input } from "antd";
import { useResolveCase, useWithdrawCase, type Case } from "../../api/exceptions";
import { useSession } from "../../shell/session";
import { useWords } from "../../shell/words";
import { useActorName } from "../../ui/actor";
import { Moment } from "../../ui/moment";
import { ProblemNote } from "../../ui/problem";
import { useSay } from "../../ui/say";
import { kindKey } from "./cases";

/** Closing a case and why; of money, one asks and another agrees. */
export function ResolveDrawer({ one, onClose }: { one: Case; onClose: () => void }) {
  const t = useWords("exceptions");
  const say = useSay("exceptions");
  const nameOf = useActorName();
  const { who } = useSession();
  const resolve = useResolveCase();
  const withdraw = useWithdrawCase();
  const isMine = one.asked_by === who.id;
  const close = (text: string) => {
    say.done(text);
    onClose();
  };
  const go = ({ reason }: { reason?: string }) =>
    resolve.mutate({ id: one.id, reason: reason?.trim() || (one.resolution ?? "") }, {
      onSuccess: (now) => close(t(now.state === "resolved" ? "resolve.done" : "resolve.asked")),
    });
  return (
    <Drawer open onClose={onClose} title={t(`kind.${kindKey(one.kind)}.title`, { kind: one.kind })} size={460}>
      <div className="stack">
        <p style={{ margin: 0 }}>{t(`kind.${kindKey(one.kind)}.advice`)}</p>
        {resolve.isError && <ProblemNote error={resolve.error} noun="exceptions" />}
        {withdraw.isError && <ProblemNote error={withdraw.error} noun="exceptions" />}
        {one.asked_by === null ? (
          <Form layout="vertical" onFinish={go}>
            {one.needs_two && <Alert type="info" showIcon title={t("two.about")} style={{ marginBottom: 12 }} />}
            <Form.Item name="reason" label={t("resolve.reason")} extra={t("resolve.about")} rules={[{ required: true, whitespace: true, max: 500 }]}>
              <Input.TextArea rows={3} maxLength={500} />
            </Form.Item>
            <Button type="primary" htmlType="submit" loading={resolve.isPending}>
              {t("resolve.ok")}
            </Button>
          </Form>
        ) : (
          <>
            <Alert
              type="info" showIcon title={t(isMine ? "two.mine" : "two.theirs", { name: nameOf(one.asked_by) })}
              description={<><div>{one.resolution}</div><Moment at={one.asked_at} /></>}
            />
            <div className="row">
              {!isMine && (
                <Button type="primary" loading={resolve.isPending} onClick={() => go({})}>
                  {t("resolve.agree")}
                </Button>
              )}
              <Button loading={withdraw.isPending} onClick={() => withdraw.mutate(one.id, { onSuccess: () => close(t("withdraw.done")) })}>
                {t(isMine ? "withdraw.mine" : "withdraw.theirs")}
              </Button>
            </div>
          </>
        )}
      </div>
    </Drawer>
  );
}
