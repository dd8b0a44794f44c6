import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { get, post, put, remove, whole } from '../../api/client'
import type { components } from '../../api/schema'
import type { Channel, ChannelType, Log } from '../../api/types'

type Schemas = components['schemas']

export const CHANNELS = '/api/channel'

const PROGRESS = 'progress of tests'

/** `key`: on a new channel one per line makes one channel each; empty on an edit keeps the stored one. */
export type ChannelDraft = Pick<
  Channel,
  'type' | 'name' | 'base_url' | 'models' | 'group' | 'model_mapping' | 'priority' | 'weight' | 'system_prompt' | 'parameters' | 'key_choice'
> & { key: string; config: string }

export type Batch = 'enable' | 'disable' | 'delete'
export type Scope = 'all' | 'disabled'

/** Of a test of many, on whichever node it runs. */
export interface Progress {
  running: boolean
  total: number
  done: number
  failed: number
  began: number
}

export interface Tested {
  passed: boolean
  text: string
  seconds: number
}

function useChannelChange<Input, Output>(change: (input: Input) => Promise<Output>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: () =>
      Promise.all([CHANNELS, 'models', PROGRESS].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  })
}

/** All of them: the search for nothing finds everything, and a page of ten could not be filtered. */
export const useChannels = () =>
  useQuery({ queryKey: [CHANNELS], queryFn: () => get<Channel[]>(`${CHANNELS}/search`, { keyword: '' }) })

export const useChannel = (id: number) =>
  useQuery({ queryKey: [CHANNELS, id], queryFn: () => get<Channel>(`${CHANNELS}/${id}`), gcTime: 0 })

export const useSaveChannel = (id: number | null) =>
  useChannelChange((draft: ChannelDraft) =>
    id === null ? post(`${CHANNELS}/`, draft) : put(`${CHANNELS}/`, { ...draft, id }),
  )

export type Patch = Pick<Channel, 'id'> & Partial<Pick<Channel, 'status' | 'priority' | 'weight'>>

/** Shown at once; the gateway's refusal takes it back. */
export function usePatchChannel() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (patch: Patch) => put(`${CHANNELS}/`, patch),
    onMutate: async (patch) => {
      await client.cancelQueries({ queryKey: [CHANNELS] })
      const before = client.getQueryData<Channel[]>([CHANNELS])
      client.setQueryData<Channel[]>([CHANNELS], (rows) =>
        rows?.map((row) => (row.id === patch.id ? { ...row, ...patch } : row)),
      )
      return { before }
    },
    onError: (_error, _patch, context) => client.setQueryData([CHANNELS], context?.before),
    onSettled: () => client.invalidateQueries({ queryKey: [CHANNELS] }),
  })
}

export const useRemoveChannel = () => useChannelChange((id: number) => remove(`${CHANNELS}/${id}`))

export const useRemoveDisabled = () => useChannelChange(() => remove<number>(`${CHANNELS}/disabled`))

export const useBatch = () =>
  useChannelChange(({ action, ids }: { action: Batch; ids: number[] }) =>
    post(`${CHANNELS}/batch`, { action, ids: ids.join(',') }),
  )

/** A failed test is an answer like any other: what went wrong is why one asks. */
export const useTest = () =>
  useChannelChange(async ({ id, model = '' }: { id: number; model?: string }): Promise<Tested> => {
    const query = { model }
    const answer = await whole<never, { time?: number }>('GET', `${CHANNELS}/test/${id}`, { query })
    return { passed: answer.success, text: answer.message, seconds: answer.time ?? 0 }
  })

export const useTestMany = () => useChannelChange((scope: Scope) => get(`${CHANNELS}/test`, { scope }))

export const useProgress = () =>
  useQuery({
    queryKey: [PROGRESS],
    queryFn: () => get<Progress>(`${CHANNELS}/test/progress`),
    refetchInterval: ({ state }) => (state.data?.running ? 1_000 : false),
  })

export const useBalance = () => useChannelChange((id: number) => get(`${CHANNELS}/update_balance/${id}`))

export const useBalances = () => useChannelChange(() => get(`${CHANNELS}/update_balance`))

/** What a channel's tests said, newest first. */
export const useTestsOf = (id: number) =>
  useQuery({
    queryKey: [CHANNELS, 'tests', id],
    queryFn: () => get<Log[]>('/api/log/', { type: 5, channel: id, p: 0 }),
  })

/** What the provider lists: of a channel that is stored, with its key, or of one as its form has it. */
export const useFetchModels = () =>
  useMutation({
    mutationFn: (from: { id: number } | ChannelDraft) =>
      'id' in from ? get<string[]>(`${CHANNELS}/fetch_models/${from.id}`) : post<string[]>(`${CHANNELS}/fetch_models`, from),
  })

export type ChannelKey = Schemas['keys.ShownKey']

export const useKeys = (id: number) =>
  useQuery({ queryKey: [CHANNELS, id, 'keys'], queryFn: () => get<ChannelKey[]>(`${CHANNELS}/${id}/keys`) })

export const useSwitchKey = (id: number) =>
  useChannelChange(({ number, status }: { number: number; status: number }) =>
    put(`${CHANNELS}/${id}/keys/${number}`, { status }),
  )

export const useAddKeys = (id: number) => useChannelChange((key: string) => post(`${CHANNELS}/${id}/keys`, { key }))

export const useRemoveKey = (id: number) =>
  useChannelChange((number: number) => remove(`${CHANNELS}/${id}/keys/${number}`))

export const useProviders = () =>
  useQuery({
    queryKey: ['channel types'],
    queryFn: () => get<ChannelType[]>(`${CHANNELS}/types`),
    staleTime: Infinity,
  })

/** The models each type is known to offer, by the type's number. */
/** By the number of the type, as text. */
export type ModelsOfTypes = Record<string, string[] | null>

export const useModelsOfTypes = () =>
  useQuery({
    queryKey: ['models of types'],
    queryFn: () => get<ModelsOfTypes>('/api/models'),
    staleTime: Infinity,
  })

export const useGroups = () => useQuery({ queryKey: ['groups'], queryFn: () => get<string[]>('/api/group/') })
