import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { get, post, put, remove } from '../../api/client'
import type { Token } from '../../api/types'

export const TOKENS = '/api/token'

/** What a token's form sends; an edit replaces all of it. */
export type TokenDraft = Pick<Token, 'name' | 'expired_time' | 'remain_quota' | 'unlimited_quota' | 'models' | 'subnet'>

function useTokenChange<Input, Output>(change: (input: Input) => Promise<Output>) {
  const client = useQueryClient()
  return useMutation({ mutationFn: change, onSuccess: () => client.invalidateQueries({ queryKey: [TOKENS] }) })
}

export const useSaveToken = (id: number | null) =>
  useTokenChange((draft: TokenDraft) =>
    id === null ? post<Token>(`${TOKENS}/`, draft) : put<Token>(`${TOKENS}/`, { ...draft, id }),
  )

export const useSwitchToken = () =>
  useTokenChange((change: Pick<Token, 'id' | 'status'>) => put(`${TOKENS}/`, change, { status_only: true }))

export const useRemoveToken = () => useTokenChange((id: number) => remove(`${TOKENS}/${id}`))

/** The first page of them, newest first. */
export const useTokens = () => useQuery({ queryKey: [TOKENS, '', 0], queryFn: () => get<Token[]>(`${TOKENS}/`, { p: 0 }) })

export const useToken = (id: number | null) =>
  useQuery({ queryKey: [TOKENS, 'one', id], queryFn: () => get<Token>(`${TOKENS}/${id}`), enabled: id !== null })

/** Models the caller's group may use. */
export const useModels = () =>
  useQuery({ queryKey: ['models'], queryFn: () => get<string[]>('/api/user/available_models') })
