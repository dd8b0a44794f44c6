import type { Channel } from '../../api/types'

/** What the address of the page says: which channels are shown, in which order. */
export interface Filters {
  q?: string
  group?: string
  type?: number
  status?: number
  model?: string
  sort?: Sort
  down?: boolean
  page?: number
}

const sorts = {
  id: (channel: Channel) => channel.id,
  name: (channel: Channel) => channel.name,
  status: (channel: Channel) => channel.status,
  response: (channel: Channel) => channel.response_time,
  priority: (channel: Channel) => channel.priority ?? 0,
  weight: (channel: Channel) => channel.weight ?? 0,
  used: (channel: Channel) => channel.used_quota,
  balance: (channel: Channel) => channel.balance,
} as const
export type Sort = keyof typeof sorts

export function readFilters(said: Record<string, unknown>): Filters {
  const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '') || undefined
  const number = (value: unknown) => (Number.isInteger(Number(value)) && value !== '' ? Number(value) || undefined : undefined)
  return {
    q: text(said.q),
    group: text(said.group),
    type: number(said.type),
    status: number(said.status),
    model: text(said.model),
    sort: typeof said.sort === 'string' && said.sort in sorts ? (said.sort as Sort) : undefined,
    down: said.down === true || undefined,
    page: Math.max(0, number(said.page) ?? 0) || undefined,
  }
}

export function matching(channels: Channel[], { q, group, type, status, model, sort = 'id', down = true }: Filters) {
  const sought = q?.trim().toLowerCase()
  const key = sorts[sort]
  return channels
    .filter(
      (channel) =>
        (!sought || String(channel.id) === sought || channel.name.toLowerCase().includes(sought)) &&
        (!group || names(channel.group).includes(group)) &&
        (!type || channel.type === type) &&
        (!status || channel.status === status) &&
        (!model || names(channel.models).includes(model)),
    )
    .sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)) || b.id - a.id)
}

export const isFiltered = ({ q, group, type, status, model }: Filters) => Boolean(q || group || type || status || model)

const compare = (a: number | string, b: number | string) =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))

export const names = (list: string) => list.split(',').filter(Boolean)

/** All that occur in a list of names of some channels. */
export const occurring = (channels: Channel[], of: 'group' | 'models') =>
  [...new Set(channels.flatMap((channel) => names(channel[of])))].sort()
