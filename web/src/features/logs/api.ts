import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { get } from '../../api/client'
import type { Channel, Log } from '../../api/types'

/** What is looked for, as it stands in the address; times are Unix seconds. */
export interface Filters {
  type?: number
  model?: string
  token?: string
  user?: string
  channel?: number
  start?: number
  end?: number
}

export const PAGE = 10

function query({ type, model, token, user, channel, start, end }: Filters) {
  const wanted = {
    type,
    model_name: model,
    token_name: token,
    username: user,
    channel,
    start_timestamp: start,
    end_timestamp: end,
  }
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as Record<string, string | number>
}

export const useLogs = (filters: Filters, page: number, everybody: boolean) =>
  useQuery({
    queryKey: ['logs', filters, page, everybody],
    queryFn: () => get<Log[]>(everybody ? '/api/log/' : '/api/log/self', { ...query(filters), p: page }),
    placeholderData: keepPreviousData,
  })

/** What all calls that match cost together. */
export const useCost = (filters: Filters, everybody: boolean) =>
  useQuery({
    queryKey: ['logs', 'cost', filters, everybody],
    queryFn: () => get<{ quota: number }>(everybody ? '/api/log/stat' : '/api/log/self/stat', query(filters)),
    placeholderData: keepPreviousData,
  })

export const csvAddress = (filters: Filters, everybody: boolean) => {
  const search = new URLSearchParams(Object.entries(query(filters)).map(([name, value]) => [name, String(value)]))
  return `${everybody ? '/api/log/csv' : '/api/log/self/csv'}?${search}`
}

/** Names of channels by their number, as far as the first pages tell them. */
export function useChannelNames(wanted: boolean): (id: number) => string | undefined {
  const channels = useQuery({
    queryKey: ['/api/channel', 'names'],
    queryFn: () => get<Channel[]>('/api/channel/search', { keyword: '' }),
    enabled: wanted,
    staleTime: 60_000,
  })
  const names = new Map(channels.data?.map(({ id, name }) => [id, name]))
  return (id) => names.get(id)
}
