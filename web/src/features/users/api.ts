import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { get, post, put } from '../../api/client'
import type { User } from '../../api/types'

export const USERS = '/api/user'

export type Action = 'promote' | 'demote' | 'enable' | 'disable' | 'delete'
export type NewUser = Pick<User, 'username' | 'display_name' | 'password'>

/** `quota_before` is what the form showed: the difference is booked, whatever was spent meanwhile. */
export type UserDraft = NewUser & Pick<User, 'id' | 'group'> & { quota?: number; quota_before?: number }

function useUserChange<Input>(change: (input: Input) => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all([USERS, 'self'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  })
}

export const useUser = (id: number) =>
  useQuery({ queryKey: [USERS, id], queryFn: () => get<User>(`${USERS}/${id}`), gcTime: 0 })

export const useAddUser = () => useUserChange((user: NewUser) => post(`${USERS}/`, user))

export const useSaveUser = () => useUserChange((user: UserDraft) => put(`${USERS}/`, user))

export const useManage = () =>
  useUserChange((input: { username: string; action: Action }) => post(`${USERS}/manage`, input))

export const useTopUp = () =>
  useUserChange((input: { user_id: number; quota: number; remark: string }) => post('/api/topup', input))
