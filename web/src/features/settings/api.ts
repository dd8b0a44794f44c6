import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { call, get, post, put } from '../../api/client'
import type { OidcEndpoints, OptionKey, OptionType } from '../../api/types'

const OPTIONS = '/api/option'

export interface Option extends OptionType {
  /** As text; a secret's is never told. */
  value: string
}

export type Options = Record<OptionKey, Option>

/** Every option with its value; one that was never saved has its default. */
export const useOptions = () =>
  useQuery({
    queryKey: [OPTIONS],
    queryFn: async () => {
      const [types, rows] = await Promise.all([
        get<OptionType[]>(`${OPTIONS}/types`),
        get<{ key: string; value: string }[]>(`${OPTIONS}/`),
      ])
      const values = new Map(rows.map(({ key, value }) => [key, value]))
      return Object.fromEntries(
        types.map((type) => [type.key, { ...type, value: values.get(type.key) ?? type.default }]),
      ) as Options
    },
  })

export type Change = [key: OptionKey, value: string]

/** What each refused key was refused for; the others are saved. */
export type Refusals = Partial<Record<OptionKey, string>>

/** One by one, as the gateway takes them: what is switched on may need what is filled in, so switches come last. */
export function useSaveOptions() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (changes: Change[]) => {
      const refusals: Refusals = {}
      const inOrder = [...changes].sort(([, a], [, b]) => Number(a === 'true') - Number(b === 'true'))
      for (const [key, value] of inOrder) {
        try {
          await put(`${OPTIONS}/`, { key, value })
        } catch (error) {
          refusals[key] = error instanceof Error ? error.message : String(error)
        }
      }
      return refusals
    },
    onSettled: () =>
      Promise.all([OPTIONS, 'status', 'groups'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  })
}

export const useTestMail = () => useMutation({ mutationFn: (email: string) => post(`${OPTIONS}/test_mail`, { email }) })

/** What a provider of OpenID Connect says of itself; the gateway asks it, for browsers ask no other host. */
export const useDiscovery = () =>
  useMutation({ mutationFn: (address: string) => post<OidcEndpoints>(`${OPTIONS}/oidc`, { address }) })

export const useForgetLogs = () =>
  useMutation({
    mutationFn: (before: number) => call<number>('DELETE', '/api/log/', { query: { target_timestamp: before } }),
  })
