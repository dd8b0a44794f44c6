const table = [
  { name: 'unknown', color: 'gray' },
  { name: 'enabled', color: 'teal' },
  { name: 'disabled', color: 'gray' },
  { name: 'auto', color: 'red' },
] as const

export const states = (status: number) => table[status] ?? table[0]

/** What the gateway writes down when it takes a channel out of use, as kinds that can be told in any language. */
const causes = [
  ['bad key', 'key'],
  ['no balance', 'balance'],
  ['of its last', 'failing'],
  ['a test took', 'slow'],
] as const

export const causeOf = (said: string) => causes.find(([words]) => said.includes(words))?.[1] ?? 'other'

/** Up to a second is good, as in One API. */
export function speed(ms: number) {
  if (ms <= 1000) return 'teal'
  return ms <= 3000 ? 'lime' : ms <= 5000 ? 'yellow' : 'red'
}

/** Types whose providers tell their balances in another currency than the dollar; 10 and 13 tell plain numbers. */
const yuan = new Set([4, 12, 36, 44])

export function money(type: number, balance: number, format: (n: number) => string) {
  if (type === 5) return `¥${format(balance / 10_000)}`
  if (yuan.has(type)) return `¥${format(balance)}`
  return type === 10 || type === 13 ? format(balance) : `$${format(balance)}`
}
