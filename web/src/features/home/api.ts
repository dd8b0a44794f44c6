import { useQuery } from '@tanstack/react-query'

import { get } from '../../api/client'
import type { Channel } from '../../api/types'

export const useNotice = () => useQuery({ queryKey: ['notice'], queryFn: () => get<string>('/api/notice'), staleTime: 60_000 })

export const useHomePage = () =>
  useQuery({ queryKey: ['home'], queryFn: () => get<string>('/api/home_page_content'), staleTime: 60_000 })

export const useHasChannel = () =>
  useQuery({
    queryKey: ['/api/channel', 'any'],
    queryFn: async () => (await get<Channel[]>('/api/channel/', { p: 0 })).length > 0,
  })
