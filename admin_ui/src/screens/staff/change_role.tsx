import { Form, Select } from "antd";
import { useChangeRoleOf, type Person } from "@/api/staff";
import { useWords } from "@/shell/words";
import { FormDrawer, useSay } from "@/ui";
import { useRoleOptions } from "./parts";

export function ChangeRole({ person, onClose }: { person: Person | null; onClose: () => void }) {
  const t = useWords("staff");
  const say = useSay("staff");
  const change = useChangeRoleOf();
  const roles = useRoleOptions();
  const send = async ({ role }: { role: string }) => {
    if (person === null) return;
    await change.mutateAsync({ id: person.id, role });
    say.done(t("change.done"));
  };
  return (
    <FormDrawer<{ role: string }>
      key={person?.id} open={person !== null} onClose={onClose} onSubmit={send} title={t("change.title")} ok={t("change")} noun="staff"
      initial={{ role: person?.role ?? "" }}
    >
      <p className="muted" style={{ marginTop: 0 }}>{t("change.about", { mail: person?.mail ?? "" })}</p>
      <Form.Item name="role" label={t("role")} rules={[{ required: true, message: t("role.missing") }]}>
        <Select options={roles} />
      </Form.Item>
    </FormDrawer>
  );
}
