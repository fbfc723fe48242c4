import { Button, Tooltip } from "antd";
import { memo, useEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent, type ReactNode } from "react";
import { useWords } from "@/shell/words";
import "./grid.css";
import { edit, KEYS, paste, settle, STATES, textOf, wrongOf, type Grid, type Key, type Place, type Row } from "./grid";
import { blockText, parseBlock } from "./paste";
import type { GridWork } from "./use_grid";

const FIGURES: Key[] = ["price_minor", "cost_minor", "limit_per_shopper"];

interface Props {
  work: GridWork;
  /** Before each row: what it is, and where it belongs. */
  head: (row: Row) => ReactNode;
  /** Behind each row. */
  tail: (row: Row) => ReactNode;
  readOnly: boolean;
  onPasted: (taken: number, outside: number) => void;
  onSave: () => void;
}

interface Range {
  from: Place;
  to: Place;
}

function boxOf({ from, to }: Range) {
  const [top, bottom] = [Math.min(from.row, to.row), Math.max(from.row, to.row)];
  const [left, right] = [Math.min(from.column, to.column), Math.max(from.column, to.column)];
  return { top, bottom, left, right };
}

/** Cells as in a spreadsheet: arrows move, letters type over, Enter and Tab go on, a block is pasted where one stands. */
export function GridTable({ work, head, tail, readOnly, onPasted, onSave }: Props) {
  const t = useWords("skus");
  const { grid, set, stateWords } = work;
  const [range, setRange] = useState<Range>({ from: { row: 0, column: 2 }, to: { row: 0, column: 2 } });
  const [draft, setDraft] = useState<string | null>(null);
  const [inside, setInside] = useState(false);
  const input = useRef<HTMLInputElement & HTMLTextAreaElement & HTMLSelectElement>(null);
  const here = range.to;
  const box = boxOf(range);
  const key = KEYS[here.column]!;
  const row = grid.rows[here.row];

  useEffect(() => {
    if (inside) input.current?.focus({ preventScroll: false });
  }, [here.row, here.column, inside]);

  const go = (place: Place, extend = false) => {
    const to = { row: clamp(place.row, grid.rows.length), column: clamp(place.column, KEYS.length) };
    setDraft(null);
    setRange(extend ? { from: range.from, to } : { from: to, to });
    setInside(true);
  };
  const commit = () => {
    if (draft !== null && row && !readOnly) set((now) => edit(now, [{ id: row.id, key, text: draft }], stateWords));
    setDraft(null);
  };
  const begin = (text: string) => {
    if (!readOnly && row) setDraft(text);
  };
  const each = (text: (key: Key) => string | null) => {
    const changes = grid.rows.slice(box.top, box.bottom + 1).flatMap((each) =>
      KEYS.slice(box.left, box.right + 1).flatMap((key) => {
        const said = text(key);
        return said === null ? [] : [{ id: each.id, key, text: said }];
      }),
    );
    set((now) => edit(now, changes, stateWords));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.key === "Process") return;
    const control = event.ctrlKey || event.metaKey;
    const move = (down: number, right: number) => {
      event.preventDefault();
      commit();
      go({ row: here.row + down, column: here.column + right }, event.shiftKey && draft === null && event.key.startsWith("Arrow"));
    };
    if (control && event.key.toLowerCase() === "s") {
      event.preventDefault();
      commit();
      onSave();
    } else if (event.key === "Enter" && draft !== null) {
      if (key === "usage_note" && event.altKey) setDraft(`${draft}\n`);
      move(event.shiftKey ? -1 : 1, 0);
    } else if (event.key === "Tab") {
      const next = here.column + (event.shiftKey ? -1 : 1);
      const over = next < 0 || next >= KEYS.length;
      const leaves = over && (event.shiftKey ? here.row === 0 : here.row === grid.rows.length - 1);
      if (leaves) commit();
      else if (over) {
        event.preventDefault();
        commit();
        go({ row: here.row + (event.shiftKey ? -1 : 1), column: event.shiftKey ? KEYS.length - 1 : 0 });
      } else move(0, event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && draft !== null) {
      event.preventDefault();
      event.stopPropagation();
      setDraft(null);
    } else if (draft === null) {
      if (event.key === "ArrowDown") move(1, 0);
      else if (event.key === "ArrowUp") move(-1, 0);
      else if (event.key === "ArrowLeft") move(0, -1);
      else if (event.key === "ArrowRight") move(0, 1);
      else if (event.key === "Home") move(control ? -here.row : 0, -here.column);
      else if (event.key === "End") move(control ? grid.rows.length : 0, KEYS.length);
      else if (event.key === "PageDown") move(15, 0);
      else if (event.key === "PageUp") move(-15, 0);
      else if ((event.key === "Enter" || event.key === "F2") && row) {
        event.preventDefault();
        begin(textOf(grid, row, key));
      } else if ((event.key === "Delete" || event.key === "Backspace") && !readOnly) {
        event.preventDefault();
        each((key) => (key === "state" || key === "limit_per_shopper" ? null : ""));
      } else if (control && event.key.toLowerCase() === "z") {
        event.preventDefault();
        work.undo();
      } else if (control && event.key.toLowerCase() === "d" && row && !readOnly) {
        event.preventDefault();
        const first = grid.rows[box.top]!;
        each((key) => textOf(grid, first, key));
      }
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData("text/plain");
    if (readOnly || (draft !== null && !/[\t\n]/.test(text.trimEnd()))) return;
    event.preventDefault();
    setDraft(null);
    const laid = { rows: box.bottom - box.top + 1, columns: box.right - box.left + 1 };
    const done = paste(grid, KEYS, { row: box.top, column: box.left }, laid, parseBlock(text.replace(/\r?\n$/, "")), stateWords);
    set(() => done.grid);
    onPasted(done.taken, done.outside);
  };
  const onCopy = (event: ClipboardEvent) => {
    if (draft !== null) return;
    event.preventDefault();
    const rows = grid.rows.slice(box.top, box.bottom + 1).map((each) => KEYS.slice(box.left, box.right + 1).map((key) => shown(grid, each, key, t)));
    event.clipboardData.setData("text/plain", blockText(rows));
  };

  return (
    <>
      <div className="grid-box" onKeyDown={onKeyDown} onPaste={onPaste} onCopy={onCopy}>
        <table role="grid" aria-label={t("grid.label")} aria-readonly={readOnly} aria-rowcount={grid.rows.length + 1}>
          <thead>
            <tr>
              <th scope="col">{t("column.sku")}</th>
              {KEYS.map((each) => (
                <th key={each} scope="col" style={FIGURES.includes(each) ? { textAlign: "right" } : undefined}>
                  {t(`column.${each}`)}
                </th>
              ))}
              <th scope="col">
                <span className="grid-sub">{t("column.more")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {grid.rows.map((each, at) => (
              <GridRow
                key={each.id} grid={grid} row={each} head={head} tail={tail} words={stateWords} readOnly={readOnly}
                box={at >= box.top && at <= box.bottom ? box : null} at={at} here={at === here.row ? here.column : -1}
                draft={at === here.row ? draft : null} input={input} set={set}
                onDraft={setDraft} onGo={go} onBegin={begin} onCommit={commit}
              />
            ))}
          </tbody>
        </table>
      </div>
      <p className="grid-hint">
        <span>{t("grid.hint_move")}</span>
        <span>{t("grid.hint_paste")}</span>
        <span>{t("grid.hint_fill")}</span>
      </p>
    </>
  );
}

function clamp(at: number, length: number): number {
  return Math.max(0, Math.min(length - 1, at));
}

type Words = (key: string, values?: Record<string, string | number>) => string;

/** A cell's text as it is read: states have names. */
function shown(grid: Grid, row: Row, key: Key, t: Words): string {
  const text = textOf(grid, row, key);
  return key === "state" && (STATES as readonly string[]).includes(text) ? t(`state.sku.${text}`) : text;
}

interface RowProps {
  grid: Grid;
  row: Row;
  at: number;
  here: number;
  box: { left: number; right: number } | null;
  draft: string | null;
  words: Record<string, string>;
  readOnly: boolean;
  input: React.RefObject<(HTMLInputElement & HTMLTextAreaElement & HTMLSelectElement) | null>;
  head: (row: Row) => ReactNode;
  tail: (row: Row) => ReactNode;
  set: GridWork["set"];
  onDraft: (text: string | null) => void;
  onGo: (place: Place, extend?: boolean) => void;
  onBegin: (text: string) => void;
  onCommit: () => void;
}

const GridRow = memo(GridRowPlain, (before, after) => {
  const own = (props: RowProps) => [props.grid.edits[props.row.id], props.grid.conflicts[props.row.id], props.grid.refusals[props.row.id]];
  const isStill = before.here === -1 && after.here === -1 && before.box === null && after.box === null;
  const [one, other] = [own(before), own(after)];
  return isStill && before.row === after.row && before.head === after.head && before.tail === after.tail && one.every((each, n) => each === other[n]);
});

function GridRowPlain(props: RowProps) {
  const { grid, row, at, here, box, draft, words, readOnly, input, head, tail, onGo, onBegin } = props;
  const t = useWords("skus");
  return (
    <>
      <tr aria-rowindex={at + 2}>
        <th scope="row">{head(row)}</th>
        {KEYS.map((key, column) => {
          const wrong = wrongOf(grid, row, key, words);
          const isChanged = grid.edits[row.id]?.[key] !== undefined;
          const isHere = here === column;
          const isPicked = box !== null && column >= box.left && column <= box.right;
          const isOff = key === "limit_per_shopper" && !row.onShelf;
          const names = [isChanged && "changed", isPicked && "picked", wrong && "wrong", isHere && "here"].filter(Boolean).join(" ");
          const cell = (
            <div className={`grid-cell${FIGURES.includes(key) ? " figure" : ""}${isOff ? " off" : ""}`}>{isOff && !isChanged ? "–" : shown(grid, row, key, t)}</div>
          );
          return (
            <td
              key={key} role="gridcell" className={names} aria-selected={isPicked} aria-invalid={wrong !== null} data-cell={`${at}:${key}`}
              onMouseDown={(event) => {
                if (isHere && draft !== null) return;
                event.preventDefault();
                props.onCommit();
                onGo({ row: at, column }, event.shiftKey);
              }}
              onDoubleClick={() => onBegin(textOf(grid, row, key))}
            >
              {wrong ? <Tooltip title={t(`wrong.${wrong}`)} open={isHere || undefined}>{cell}</Tooltip> : cell}
              {isHere && <Cell {...props} column={key} label={`${t(`column.${key}`)} · ${row.base.name}`} input={input} readOnly={readOnly} />}
            </td>
          );
        })}
        <td className="side">{tail(row)}</td>
      </tr>
      {(grid.conflicts[row.id] || grid.refusals[row.id]) && (
        <tr>
          <td colSpan={KEYS.length + 2}>
            <Trouble grid={grid} row={row} words={words} set={props.set} />
          </td>
        </tr>
      )}
    </>
  );
}

/** Where one stands there is always a field, so that a first letter, also of an input method, lands in it. */
function Cell({ grid, row, column, label, draft, input, readOnly, onDraft, onCommit, onBegin }: RowProps & { column: Key; label: string }) {
  const t = useWords("skus");
  const open = draft !== null;
  const shared = { ref: input, "aria-label": label, className: `grid-input ${open ? "open" : "quiet"}`, readOnly, onBlur: onCommit };
  if (column === "state" && open) {
    return (
      <select {...shared} autoFocus value={draft} onChange={(event) => onDraft(event.target.value)}>
        {STATES.map((state) => (
          <option key={state} value={state}>
            {t(`state.sku.${state}`)}
          </option>
        ))}
      </select>
    );
  }
  if (column === "state") return <input {...shared} value="" onChange={() => onBegin(textOf(grid, row, column))} />;
  const field = { ...shared, value: draft ?? "", onChange: (event: { target: { value: string } }) => onDraft(event.target.value) };
  return column === "usage_note" && open ? <textarea {...field} autoFocus /> : <input {...field} autoComplete="off" spellCheck={false} />;
}

function Trouble({ grid, row, words, set }: { grid: Grid; row: Row; words: Record<string, string>; set: GridWork["set"] }) {
  const t = useWords("skus");
  const theirs = grid.conflicts[row.id];
  const refusal = grid.refusals[row.id];
  if (!theirs) return <div className="grid-note" role="alert">{t.call(null, `refusal.${refusal!.code}`) === `refusal.${refusal!.code}` ? refusal!.why : t(`refusal.${refusal!.code}`)}</div>;
  const other = KEYS.filter((key) => theirs.base[key] !== row.base[key] || grid.edits[row.id]?.[key] !== undefined);
  return (
    <div className="grid-note" role="alert">
      <span>{t("conflict.text")}</span>
      <dl>
        {other.map((key) => (
          <div key={key} style={{ display: "contents" }}>
            <dt className="muted">{t(`column.${key}`)}</dt>
            <dd>{t("conflict.theirs", { text: key === "state" ? t(`state.sku.${theirs.base[key]}`) : theirs.base[key] || "–" })}</dd>
            <dd>{grid.edits[row.id]?.[key] !== undefined && t("conflict.mine", { text: shown(grid, row, key, t) || "–" })}</dd>
          </div>
        ))}
      </dl>
      <Button size="small" type="primary" onClick={() => set((now) => settle(now, row.id, "mine", words))}>
        {t("conflict.keep_mine")}
      </Button>
      <Button size="small" onClick={() => set((now) => settle(now, row.id, "theirs", words))}>
        {t("conflict.take_theirs")}
      </Button>
    </div>
  );
}
