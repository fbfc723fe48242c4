import dayjs, { type Dayjs } from "dayjs";

const DIGITS = "YYYY-MM-DDTHH:mm:ss";

/** A picker shows the store's clock: the same digits are read in its zone. */
export function inZone(picked: Dayjs | null, zone: string): Dayjs | null {
  return picked === null ? null : dayjs.tz(picked.format(DIGITS), zone);
}

/** And back: what a picker shows of a moment. */
export function ofZone(at: string | null, zone: string): Dayjs | null {
  return at === null ? null : dayjs(dayjs(at).tz(zone).format(DIGITS));
}
