/** A block of cells between us and a spreadsheet: tabs between cells, a line each; a cell with a tab, a line break or a quotation mark is quoted. */

export function parseBlock(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let fresh = true;
  const endCell = () => {
    row.push(cell);
    cell = "";
    fresh = true;
  };
  const endRow = () => {
    endCell();
    rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]!;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && fresh && closes(text, at)) {
      quoted = true;
      fresh = false;
    } else if (sign === "\t") endCell();
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[at + 1] === "\n") at += 1;
      endRow();
    } else {
      cell += sign;
      fresh = false;
    }
  }
  if (cell !== "" || row.length > 0 || text === "") endRow();
  return rows;
}

/** A quotation mark that is never closed stands for itself: `27" screen` is no quoted cell. */
function closes(text: string, at: number): boolean {
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] !== '"') continue;
    if (text[end + 1] === '"') end += 1;
    else return end + 1 === text.length || "\t\r\n".includes(text[end + 1]!);
  }
  return false;
}

export function blockText(rows: string[][]): string {
  return rows.map((row) => row.map((cell) => (/[\t\r\n"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join("\t")).join("\n");
}
