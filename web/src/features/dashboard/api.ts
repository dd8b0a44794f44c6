import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { get } from '../../api/client'
import type { Bar, Share } from '../../api/types'

/** One's own usage, or everybody's. */
export const useUsage = (days: number, everybody: boolean) =>
  useQuery({
    queryKey: ['usage', days, everybody],
    queryFn: async () =>
      (await get<Bar[] | null>(everybody ? '/api/log/usage' : '/api/user/dashboard', { days })) ?? [],
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })

export const useShares = (days: number, by: 'users' | 'channels') =>
  useQuery({
    queryKey: ['shares', days, by],
    queryFn: () => get<Share[]>(`/api/log/usage/${by}`, { days }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })
