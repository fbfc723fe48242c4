import { useQuery } from "@tanstack/react-query";
import { api, take } from "../api/client";
import { everyPage } from "../api/query";
import { useMay, useSession } from "../shell/session";
import { useWords } from "../shell/words";
import { shortId } from "./copy_id";

/** Who works here, by id; nobody's names for who may not see the store's people. */
function useNames(): Map<string, string> {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ["staff-names"],
    queryFn: () =>
      everyPage(async (page) => {
        const answer = await take(api.GET("/v1/staff", { params: { query: page } }));
        return { rows: answer.staff, next: answer.next_cursor };
      }),
    enabled: may("staff:read"),
    staleTime: 300_000,
  });
  return new Map(data?.map((each) => [each.id, each.mail]));
}

/** `useActorName()("usr_…")`: who did it, in words. */
export function useActorName(): (id: string) => string {
  const t = useWords("orders");
  const names = useNames();
  const { who } = useSession();
  return (id) => {
    if (id === who.id) return t("actor.you");
    const kind = id.slice(0, 4);
    if (kind === "usr_") return names.get(id) ?? t("actor.colleague", { id: shortId(id) });
    if (kind === "key_") return t("actor.key", { id: shortId(id) });
    if (kind === "shp_") return t("actor.shopper");
    return t("actor.system");
  };
}

export function Actor({ id }: { id: string }) {
  return <span title={id}>{useActorName()(id)}</span>;
}
