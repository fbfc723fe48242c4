import { Button, Card, Skeleton, Timeline } from "antd";
import { useTimeline, type TimelineEntry } from "../../api/orders";
import { useWords } from "../../shell/words";
import { Actor } from "../../ui/actor";
import { Moment } from "../../ui/moment";
import { Money } from "../../ui/money";
import { ProblemNote } from "../../ui/problem";
import { COLORS, detailKeys, titleKey } from "./events";

/** Everything that happened to the order, newest first, with who did it and exactly when. */
export function TimelineSection({ id, currency }: { id: string; currency: string }) {
  const t = useWords("orders");
  const query = useTimeline(id);
  const entries = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card size="small" title={t("section.timeline")}>
      {query.isError && <ProblemNote error={query.error} noun="orders" />}
      {query.isPending && <Skeleton active />}
      <Timeline
        items={entries.map((entry) => ({
          key: `${entry.entry_id}.${entry.kind}`,
          color: COLORS[entry.kind] ?? "gray",
          content: <Entry entry={entry} currency={currency} />,
        }))}
      />
      {query.hasNextPage && (
        <Button size="small" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("timeline.more")}
        </Button>
      )}
    </Card>
  );
}

function Entry({ entry, currency }: { entry: TimelineEntry; currency: string }) {
  const t = useWords("orders");
  const key = titleKey(entry);
  const title = t(key) === key ? String(entry.detail["action"] ?? entry.kind) : t(key);
  const { amount_minor: amount, words, currency: inWhat } = entry.detail as Record<string, unknown>;
  return (
    <div>
      <div className="row" style={{ gap: "2px 8px" }}>
        <span>{title}</span>
        {typeof amount === "number" && <Money minor={amount} currency={typeof inWhat === "string" ? inWhat : currency} />}
        <span className="muted">
          {entry.actor !== null && (
            <>
              <Actor id={entry.actor} /> ·{" "}
            </>
          )}
          <Moment at={entry.at} />
        </span>
      </div>
      {entry.kind === "note" && <p style={{ margin: "2px 0 0", whiteSpace: "pre-wrap" }}>{typeof words === "string" ? words : t("notes.erased")}</p>}
      {detailKeys(entry).map((each) => (
        <div key={each} className="muted">
          {t(each)}
        </div>
      ))}
    </div>
  );
}
