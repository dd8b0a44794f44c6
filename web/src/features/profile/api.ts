import { useMutation, useQueryClient } from '@tanstack/react-query'

import { get, put, remove } from '../../api/client'
import { forgetExpiry, SELF } from '../../app/query'
import type { Provider } from '../account/api'

interface Change {
  username?: string
  display_name?: string
  password?: string
}

export function useChangeSelf() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (change: Change) => put('/api/user/self', change),
    meta: { inline: true },
    onSuccess: () => client.invalidateQueries({ queryKey: SELF }),
  })
}

export const useAccessToken = () => useMutation({ mutationFn: () => get<string>('/api/user/token') })

export function useUnbind() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (provider: Provider | 'wechat') => remove(`/api/oauth/${provider}`),
    onSuccess: () => client.invalidateQueries({ queryKey: SELF }),
  })
}

export function useBindMail() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (proof: { email: string; code: string }) => get('/api/oauth/email/bind', proof),
    meta: { inline: true },
    onSuccess: () => client.invalidateQueries({ queryKey: SELF }),
  })
}

export function useDeleteSelf() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => remove('/api/user/self'),
    onSuccess: () => {
      forgetExpiry()
      client.clear()
      client.setQueryData(SELF, null)
    },
  })
}
