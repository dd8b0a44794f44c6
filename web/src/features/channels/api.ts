import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { get, post, put, remove } from '../../api/client'
import type { Channel } from '../../api/types'

export const CHANNELS = '/api/channel'

/** `key`: on a new channel one per line makes one channel each; empty on an edit keeps the stored one. */
export type ChannelDraft = Pick<
  Channel,
  'type' | 'name' | 'base_url' | 'models' | 'group' | 'model_mapping' | 'priority' | 'weight'
> & { key: string; config: string }

function useChannelChange<Input>(change: (input: Input) => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: () =>
      Promise.all([CHANNELS, 'models'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  })
}

export const useSaveChannel = (id: number | null) =>
  useChannelChange((draft: ChannelDraft) =>
    id === null ? post(`${CHANNELS}/`, draft) : put(`${CHANNELS}/`, { ...draft, id }),
  )

export const useSwitchChannel = () =>
  useChannelChange((change: Pick<Channel, 'id' | 'status'>) => put(`${CHANNELS}/`, change))

export const useRemoveChannel = () => useChannelChange((id: number) => remove(`${CHANNELS}/${id}`))

/** A row of the gateway's catalogue: who answers behind a channel type. */
export interface Provider {
  id: number
  name: string
  base_url: string
}

export const useProviders = () =>
  useQuery({
    queryKey: ['channel types'],
    queryFn: () => get<Provider[]>(`${CHANNELS}/types`),
    staleTime: Infinity,
  })

/** The models each type is known to offer, by the type's number. */
export const useModelsOfTypes = () =>
  useQuery({
    queryKey: ['models of types'],
    queryFn: () => get<Record<string, string[] | null>>('/api/models'),
    staleTime: Infinity,
  })

export const useGroups = () => useQuery({ queryKey: ['groups'], queryFn: () => get<string[]>('/api/group/') })
