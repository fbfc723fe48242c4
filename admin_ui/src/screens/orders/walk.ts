/** The list one came from: the ids of its page in their order, and its URL; so that a detail knows its neighbours and the way back. */
export interface Walk {
  ids: string[];
  search: string;
}

const KEY = "tessera.walk.orders";

export function keepWalk(storage: Storage, walk: Walk): void {
  storage.setItem(KEY, JSON.stringify(walk));
}

export function readWalk(storage: Storage): Walk {
  try {
    const read = JSON.parse(storage.getItem(KEY) ?? "null") as Walk | null;
    if (read !== null && Array.isArray(read.ids) && typeof read.search === "string") return read;
  } catch {
    // what somebody else wrote there is no list
  }
  return { ids: [], search: "" };
}

export function neighbours(walk: Walk, id: string): { place: number; previous: string | undefined; next: string | undefined } {
  const place = walk.ids.indexOf(id);
  if (place < 0) return { place, previous: undefined, next: undefined };
  return { place, previous: walk.ids[place - 1], next: walk.ids[place + 1] };
}
