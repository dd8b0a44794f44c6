import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Navigate, useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'

import { ApiError, get, post } from '../api/client'
import { ADMIN, ROOT, type Status, type User } from '../api/types'
import { Failure } from '../ui/Failure'
import { Waiting } from '../ui/Waiting'
import { forgetExpiry, SELF } from './query'

const STORED = 'one-api-status'

/** How the installation is set up. What it was at the last visit is shown until the gateway has answered. */
export function useStatus() {
  return useQuery({
    queryKey: ['status'],
    queryFn: async () => {
      const status = await get<Status>('/api/status')
      localStorage.setItem(STORED, JSON.stringify(status))
      return status
    },
    placeholderData: stored,
    staleTime: 60_000,
  })
}

function stored(): Status | undefined {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? '') as Status
  } catch {
    return undefined
  }
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

/** The user on a page that is only for those who are logged in. */
export function useUser(): User {
  const user = useSession().data
  if (!user) throw new Error('nobody is logged in')
  return user
}

/** What a first login left to be done: remembered until the password is changed, or the tab is closed. */
const DEFAULT_PASSWORD = 'one-api-default-password'
export const hasDefaultPassword = () => sessionStorage.getItem(DEFAULT_PASSWORD) === 'yes'
export const passwordChanged = () => sessionStorage.removeItem(DEFAULT_PASSWORD)

export function useLogin() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (credentials: { username: string; password: string }) => {
      const user = await post<User>('/api/user/login', credentials)
      if (user.role >= ROOT && credentials.password === '123456') sessionStorage.setItem(DEFAULT_PASSWORD, 'yes')
      else passwordChanged()
    },
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
      forgetExpiry()
      client.clear()
      client.setQueryData(SELF, null)
      await navigate({ to: '/login' })
    },
  })
}

export const isAdmin = (user: User | null | undefined) => (user?.role ?? 0) >= ADMIN
export const isRoot = (user: User | null | undefined) => (user?.role ?? 0) >= ROOT

/** A page for those who are logged in. Only the gateway protects anything; this saves a page of refusals. */
export function Private({ admin = false, children }: { admin?: boolean; children: ReactNode }) {
  const session = useSession()
  if (session.isPending) return <Waiting />
  if (session.isError) return <Failure error={session.error} retry={session.refetch} />
  if (!session.data) return <Navigate to="/login" search={{ next: location.pathname + location.search }} replace />
  if (admin && !isAdmin(session.data)) return <Navigate to="/" />
  return children
}

/** To a path of the console with a query of its own, which `Navigate` would take for a part of the path. */
export function GoTo({ href }: { href: string }) {
  const router = useRouter()
  useEffect(() => router.history.replace(href), [router, href])
  return null
}
