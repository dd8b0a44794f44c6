import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { get, post, put, remove } from '../../api/client'
import type { Redemption } from '../../api/types'

export const REDEMPTIONS = '/api/redemption'
export const USED = 3

function useCodeChange<Input, Output>(change: (input: Input) => Promise<Output>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: [REDEMPTIONS] }),
  })
}

export const useCode = (id: number) =>
  useQuery({ queryKey: [REDEMPTIONS, id], queryFn: () => get<Redemption>(`${REDEMPTIONS}/${id}`), gcTime: 0 })

export const useMakeCodes = () =>
  useCodeChange((wish: { name: string; quota: number; count: number }) => post<string[]>(`${REDEMPTIONS}/`, wish))

export const useSaveCode = () =>
  useCodeChange((code: Pick<Redemption, 'id' | 'name' | 'quota'>) => put(`${REDEMPTIONS}/`, code))

export const useSwitchCode = () =>
  useCodeChange((change: Pick<Redemption, 'id' | 'status'>) => put(`${REDEMPTIONS}/`, change, { status_only: true }))

export const useRemoveCode = () => useCodeChange((id: number) => remove(`${REDEMPTIONS}/${id}`))

export const useRemoveUsed = () => useCodeChange(() => remove<number>(`${REDEMPTIONS}/used`))
