import type { ReactNode } from "react";
import { useLocation } from "react-router";
import { useRoles, type Role } from "@/api/staff";
import { useHasWord, useWords } from "@/shell/words";
import { Page, PageTabs } from "@/ui";

const TABS = { "/staff": "tab.staff", "/staff/invitations": "tab.invitations", "/staff/roles": "tab.roles" };

/** The head that the three pages of this screen share. */
export function StaffPage({ primary, children }: { primary?: ReactNode; children: ReactNode }) {
  const t = useWords("staff");
  const { pathname } = useLocation();
  const pages = Object.fromEntries(Object.entries(TABS).map(([path, key]) => [path, t(key)]));
  return (
    <Page title={t("title")} about={t("about")} primary={primary}>
      <PageTabs pages={pages} current={pathname} label={t("title")} />
      {children}
    </Page>
  );
}

/** What a role is called: built-in ones have words of ours, others the name they were given. */
export function useRoleName(): (role: Pick<Role, "id" | "name" | "built_in">) => string {
  const t = useWords("staff");
  const has = useHasWord("staff");
  return (role) => (role.built_in && has(`role.${role.id}`) ? t(`role.${role.id}`) : role.name);
}

export function RoleName({ id }: { id: string }) {
  const roles = useRoles();
  const nameOf = useRoleName();
  return <>{nameOf(roles.data?.find((role) => role.id === id) ?? { id, name: id, built_in: true })}</>;
}

/** The roles as choices of a form. */
export function useRoleOptions(): { value: string; label: string }[] {
  const nameOf = useRoleName();
  return (useRoles().data ?? []).map((role) => ({ value: role.id, label: nameOf(role) }));
}
