import { LeftOutlined, ReloadOutlined, RightOutlined, VerticalRightOutlined } from "@ant-design/icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Button, Checkbox, Grid, Skeleton, Table, Tooltip, type TableColumnsType } from "antd";
import { useState, type Key, type ReactNode } from "react";
import type { Pages } from "../api/query";
import { useWords } from "../shell/words";
import { ColumnChoice, useColumnChoice } from "./columns";
import { useCursor } from "./cursor";
import { Empty } from "./empty";
import { ProblemNote } from "./problem";

export interface Column<Row> {
  key: string;
  title: string;
  render: (row: Row) => ReactNode;
  width?: number | string;
  align?: "left" | "right" | "center";
  /** Not shown until somebody chooses it. */
  optional?: boolean;
  /** Cannot be hidden. The first column never can. */
  always?: boolean;
  /** On a phone: "head" stands beside the first column, "none" is left out. Others are listed below with their titles. */
  phone?: "head" | "none";
  ellipsis?: boolean;
}

interface Props<Row> {
  /** What the choice of columns is remembered by. */
  id: string;
  columns: Column<Row>[];
  pages: Pages<Row>;
  rowKey: (row: Row) => string;
  /** `<FilterRow>` with its filters. */
  filters?: ReactNode;
  /** Whether a filter is chosen: an empty list then says that nothing fits. */
  filtered?: boolean;
  onClear?: () => void;
  /** What an empty list without filters shows: `<Empty>` that teaches. */
  empty: ReactNode;
  onOpen?: (row: Row) => void;
  /** Actions for the rows that are ticked; `clear` unticks them. */
  batch?: (rows: Row[], clear: () => void) => ReactNode;
  /** Buttons at the right of the filters: export. */
  tools?: ReactNode;
  /** Milliseconds after which the page is asked again. */
  refresh?: number;
  limit?: number;
  /** What a row has besides, unfolded below it. */
  expanded?: (row: Row) => ReactNode;
}

/** A list of the API, page by page. Filters and place are in the address, the columns are remembered. */
export function ListTable<Row extends object>(props: Props<Row>) {
  const { id, columns, pages, rowKey, filters, filtered = false, onClear, empty, onOpen, batch, tools, refresh, limit = 20, expanded } = props;
  const t = useWords("ui");
  const isPhone = !(Grid.useBreakpoint().sm ?? true);
  const cursor = useCursor();
  const choice = useColumnChoice(id, columns);
  const [ticked, setTicked] = useState<Map<string, Row>>(new Map());
  const page = cursor.after === null ? { limit } : { limit, cursor: cursor.after };
  const query = useQuery({ ...pages(page), placeholderData: keepPreviousData, ...(refresh ? { refetchInterval: refresh } : {}) });
  const shown = columns.filter(choice.isShown);
  const rows = query.data?.rows ?? [];
  const clear = () => setTicked(new Map());
  const tick = (row: Row, on: boolean) =>
    setTicked((was) => {
      const next = new Map(was);
      if (on) next.set(rowKey(row), row);
      else next.delete(rowKey(row));
      return next;
    });

  const body = () => {
    if (query.isError && query.data === undefined) return <div className="list-wait"><ProblemNote error={query.error} /></div>;
    if (query.isPending) return <div className="list-wait"><Skeleton active title={false} paragraph={{ rows: 8, width: "100%" }} /></div>;
    if (rows.length === 0 && filtered) {
      return <Empty title={t("list.nothing")} text={t("list.nothing_text")} action={onClear && <Button onClick={onClear}>{t("filters.clear")}</Button>} />;
    }
    if (rows.length === 0 && cursor.after === null) return empty;
    if (isPhone) {
      return <Cards rows={rows} columns={shown} rowKey={rowKey} {...(onOpen ? { onOpen } : {})} {...(batch ? { ticked, tick } : {})} {...(expanded ? { expanded } : {})} />;
    }
    return (
      <Table<Row>
        size="middle" pagination={false} dataSource={rows} rowKey={rowKey} columns={asTable(shown)} scroll={{ x: "max-content" }} loading={query.isPlaceholderData}
        {...(expanded ? { expandable: { expandedRowRender: expanded } } : {})}
        {...(batch
          ? {
              rowSelection: {
                selectedRowKeys: [...ticked.keys()] as Key[],
                onSelect: tick,
                onSelectAll: (on: boolean, _: Row[], changed: Row[]) => changed.forEach((row) => tick(row, on)),
              },
            }
          : {})}
        {...(onOpen ? { onRow: (row: Row) => opens(row, onOpen), rowClassName: "opens" } : {})}
      />
    );
  };
  return (
    <section className="list">
      <div className="list-head">
        {filters}
        <div className="tools">
          {tools}
          <Tooltip title={t("list.refresh")}>
            <Button type="text" icon={<ReloadOutlined spin={query.isFetching && !query.isPending} />} onClick={() => void query.refetch()} aria-label={t("list.refresh")} />
          </Tooltip>
          <ColumnChoice columns={columns} choice={choice} />
        </div>
      </div>
      {batch && ticked.size > 0 && (
        <div className="list-selected" role="status">
          <span>{t("list.selected", { n: ticked.size })}</span>
          {batch([...ticked.values()], clear)}
          <Button type="text" size="small" onClick={clear}>
            {t("list.unselect")}
          </Button>
        </div>
      )}
      {query.isError && query.data !== undefined && <div className="list-wait"><ProblemNote error={query.error} /></div>}
      {body()}
      {(cursor.after !== null || (query.data?.next ?? null) !== null) && (
        <nav className="list-foot" aria-label={t("list.pages")}>
          <span className="said">{t("list.shown", { n: rows.length })}</span>
          {cursor.after !== null && (
            <Button size="small" icon={<VerticalRightOutlined />} onClick={cursor.first}>
              {t("list.first")}
            </Button>
          )}
          <Button size="small" icon={<LeftOutlined />} disabled={!cursor.hasPrevious} onClick={cursor.previous}>
            {t("list.previous")}
          </Button>
          <Button size="small" icon={<RightOutlined />} iconPlacement="end" disabled={!query.data?.next || query.isPlaceholderData} onClick={() => query.data?.next && cursor.next(query.data.next)}>
            {t("list.next")}
          </Button>
        </nav>
      )}
    </section>
  );
}

function asTable<Row extends object>(columns: Column<Row>[]): TableColumnsType<Row> {
  return columns.map((column) => ({
    key: column.key, title: column.title, render: (_: unknown, row: Row) => column.render(row),
    ...(column.width === undefined ? {} : { width: column.width }),
    ...(column.align === undefined ? {} : { align: column.align }),
    ...(column.ellipsis ? { ellipsis: true } : {}),
  }));
}

/** A row that opens: by a click anywhere in it that is no button's, and by Enter. */
function opens<Row>(row: Row, onOpen: (row: Row) => void) {
  const isOwn = (target: EventTarget) => target instanceof Element && target.closest("a,button,input,label,.ant-dropdown,.ant-table-selection-column") !== null;
  return {
    tabIndex: 0,
    onClick: (event: React.MouseEvent) => {
      if (!isOwn(event.target) && window.getSelection()?.toString() === "") onOpen(row);
    },
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === "Enter" && event.target === event.currentTarget) onOpen(row);
    },
  };
}

interface CardsProps<Row> {
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  onOpen?: (row: Row) => void;
  ticked?: Map<string, Row>;
  tick?: (row: Row, on: boolean) => void;
  expanded?: (row: Row) => ReactNode;
}

/** The same rows where there is no room for a table. */
function Cards<Row>({ rows, columns, rowKey, onOpen, ticked, tick, expanded }: CardsProps<Row>) {
  const t = useWords("ui");
  const [head, ...rest] = columns;
  const beside = rest.filter((column) => column.phone === "head");
  const below = rest.filter((column) => column.phone === undefined);
  return (
    <ul className="list-cards">
      {rows.map((row) => (
        <li key={rowKey(row)} {...(onOpen ? opens(row, onOpen) : {})}>
          <div className="list-card-head">
            {tick && <Checkbox checked={ticked?.has(rowKey(row)) ?? false} onChange={(event) => tick(row, event.target.checked)} aria-label={t("list.select")} />}
            <span className="grow">{head?.render(row)}</span>
            {beside.map((column) => (
              <span key={column.key}>{column.render(row)}</span>
            ))}
          </div>
          {below.length > 0 && (
            <dl className="list-card-rest">
              {below.map((column) => (
                <div key={column.key} style={{ display: "contents" }}>
                  <dt>{column.title}</dt>
                  <dd>{column.render(row)}</dd>
                </div>
              ))}
            </dl>
          )}
          {expanded !== undefined && (
            <details style={{ marginTop: 6 }}>
              <summary className="muted">{t("list.details")}</summary>
              {expanded(row)}
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}
