import type { Bar } from '../../api/types'

export type Metric = 'cost' | 'requests' | 'tokens'

export interface Sums {
  cost: number
  requests: number
  tokens: number
}

export const measure = (bar: Bar, metric: Metric): number =>
  ({ cost: bar.Quota, requests: bar.RequestCount, tokens: bar.PromptTokens + bar.CompletionTokens })[metric]

export function total(bars: readonly Bar[]): Sums {
  const sum = (metric: Metric) => bars.reduce((so, bar) => so + measure(bar, metric), 0)
  return { cost: sum('cost'), requests: sum('requests'), tokens: sum('tokens') }
}

/** By model, the largest first. */
export function byModel(bars: readonly Bar[], metric: Metric): { name: string; value: number }[] {
  const sums = new Map<string, number>()
  for (const bar of bars) sums.set(bar.ModelName, (sums.get(bar.ModelName) ?? 0) + measure(bar, metric))
  return [...sums].map(([name, value]) => ({ name, value })).sort((a, b) => b.value - a.value)
}

/** The last days as the gateway counts them, in UTC; the last is today. */
export function lastDays(days: number, now = Date.now()): string[] {
  return Array.from({ length: days }, (_, n) => new Date(now - (days - 1 - n) * 86_400_000).toISOString().slice(0, 10))
}

export const OTHERS = '\u2026'

/** A row for each day, a column for each of the largest models, the rest in one column; days without calls are 0. */
export function stack(bars: readonly Bar[], metric: Metric, days: readonly string[], most: number) {
  const models = byModel(bars, metric).map(({ name }) => name)
  const own = new Set(models.slice(0, most))
  const names = models.length > most ? [...own, OTHERS] : [...own]
  const rows = new Map(days.map((day) => [day, Object.fromEntries(names.map((name) => [name, 0]))]))
  for (const bar of bars) {
    const row = rows.get(bar.Day)
    const name = own.has(bar.ModelName) ? bar.ModelName : OTHERS
    if (row) row[name] = (row[name] ?? 0) + measure(bar, metric)
  }
  return { names, rows: [...rows].map(([day, values]) => ({ day, ...values })) }
}
