export type Ratios = ReadonlyMap<string, number>

/** The numbers by name that JSON text holds, or null. */
export function readRatios(text: string): Ratios | null {
  try {
    const parsed: unknown = JSON.parse(text)
    if (!parsed || typeof parsed !== 'object' || Array.isArray(parsed)) return null
    const found = Object.entries(parsed)
    return found.every((entry): entry is [string, number] => typeof entry[1] === 'number')
      ? new Map(found)
      : null
  } catch {
    return null
  }
}

export const writeRatios = (ratios: Ratios) => JSON.stringify(Object.fromEntries(ratios), null, 2)

/** null: not there. */
export interface Difference {
  name: string
  before: number | null
  after: number | null
}

export function differences(before: Ratios, after: Ratios): Difference[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names]
    .map((name) => ({ name, before: before.get(name) ?? null, after: after.get(name) ?? null }))
    .filter((each) => each.before !== each.after)
    .sort((a, b) => a.name.localeCompare(b.name))
}
