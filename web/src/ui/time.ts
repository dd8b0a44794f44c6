/** Unix seconds as local time without a zone, as <input type="datetime-local"> wants it. */
export function toLocal(seconds: number): string {
  const moment = new Date(seconds * 1000)
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** Its inverse; undefined while the field is not filled in. */
export function fromLocal(text: string): number | undefined {
  const moment = new Date(text).getTime()
  return Number.isNaN(moment) ? undefined : Math.floor(moment / 1000)
}

/** How long something took: milliseconds below a tenth of a second, and no more digits than anybody reads. */
export function duration(ms: number, language: string): string {
  if (ms < 100) return `${Math.round(ms)} ms`
  const seconds = new Intl.NumberFormat(language, { maximumFractionDigits: ms < 10_000 ? 2 : 1 })
  return `${seconds.format(ms / 1000)} s`
}
