import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Navigate, useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { ApiError, get, post } from '../api/client'
import { ADMIN, type Status, type User } from '../api/types'
import { Failure } from '../ui/Failure'
import { Waiting } from '../ui/Waiting'
import { SELF } from './query'

export function useStatus() {
  return useQuery({ queryKey: ['status'], queryFn: () => get<Status>('/api/status'), staleTime: 60_000 })
}

/** The user, or null when nobody is logged in. */
export function useSession() {
  return useQuery({
    queryKey: SELF,
    queryFn: () =>
      get<User>('/api/user/self').catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 401) return null
        throw error
      }),
    staleTime: 60_000,
  })
}

export function useLogin() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (credentials: { username: string; password: string }) => post<User>('/api/user/login', credentials),
    meta: { inline: true },
    onSuccess: () => client.resetQueries(),
  })
}

export function useLogout() {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: () => get('/api/user/logout'),
    onSuccess: async () => {
      client.setQueryData(SELF, null)
      await navigate({ to: '/login' })
    },
  })
}

export const isAdmin = (user: User | null | undefined) => (user?.role ?? 0) >= ADMIN

/** A page for those who are logged in. Only the gateway protects anything; this saves a page of refusals. */
export function Private({ admin = false, children }: { admin?: boolean; children: ReactNode }) {
  const session = useSession()
  if (session.isPending) return <Waiting />
  if (session.isError) return <Failure error={session.error} retry={session.refetch} />
  if (!session.data) return <Navigate to="/login" search={{ next: location.pathname }} />
  if (admin && !isAdmin(session.data)) return <Navigate to="/" />
  return children
}
