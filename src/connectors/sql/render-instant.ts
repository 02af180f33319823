const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):?(\d{2})?)$/i

/**
 * An instant of RFC 3339 in UTC, in ISO 8601 with three decimals or as many as it came with (D0-023). Undefined for what is no
 * instant: a time without a zone, or a day that its month does not have.
 */
export function renderInstant(text: string): string | undefined {
  const parts = pattern.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as SixNumbers
  const [fraction = '', sign, zoneHours, zoneMinutes = '0'] = parts.slice(7)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59 || Number(zoneHours ?? 0) > 23 || Number(zoneMinutes) > 59)
    return undefined
  const offset = (sign === '-' ? -1 : 1) * (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes))
  const utc = new Date(0)
  utc.setUTCFullYear(year, month - 1, day)
  utc.setUTCHours(hour, minute - offset, second)
  return `${utc.toISOString().slice(0, -4)}${fraction.padEnd(3, '0')}Z`
}

type SixNumbers = [number, number, number, number, number, number]

function daysIn(year: number, month: number): number {
  const last = new Date(0)
  last.setUTCFullYear(year, month, 0)
  return last.getUTCDate()
}
