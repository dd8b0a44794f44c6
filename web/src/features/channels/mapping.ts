export type Pair = [from: string, to: string]

/** `text`: what the JSON view holds; null while rows are edited. */
export interface Mapping {
  pairs: Pair[]
  text: string | null
}

/** The object that JSON text holds, or null. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return parsed && typeof parsed === 'object' && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** null: not an object of texts. */
export function toPairs(text: string): Pair[] | null {
  if (!text.trim()) return []
  const found = Object.entries(parseObject(text) ?? { '': null })
  return found.every((pair): pair is Pair => typeof pair[1] === 'string') ? found : null
}

export const fromPairs = (pairs: Pair[]) => JSON.stringify(Object.fromEntries(pairs), null, 2)

/** What was stored; text that cannot be read is shown as it is. */
export function readMapping(stored: string): Mapping {
  const pairs = toPairs(stored)
  return pairs ? { pairs, text: null } : { pairs: [], text: stored }
}

export type MappingFault = 'notJson' | 'mappingEmpty' | 'mappingTwice'

export function faultOf({ pairs, text }: Mapping): MappingFault | null {
  const found = text === null ? pairs : toPairs(text)
  if (!found) return 'notJson'
  if (found.some(([from, to]) => !from.trim() || !to.trim())) return 'mappingEmpty'
  if (new Set(found.map(([from]) => from.trim())).size < found.length) return 'mappingTwice'
  return null
}

export function writeMapping({ pairs, text }: Mapping): string {
  const found = (text === null ? pairs : toPairs(text)) ?? []
  return found.length ? JSON.stringify(Object.fromEntries(found.map(([from, to]) => [from.trim(), to.trim()]))) : ''
}
