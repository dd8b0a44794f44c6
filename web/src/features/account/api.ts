import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

import { call, get, post } from '../../api/client'

export interface Registration {
  username: string
  password: string
  email: string
  verification_code: string
  aff_code: string
}

/** The page shows refusals itself. */
const inline = { inline: true }

export const useRegister = (turnstile: string) =>
  useMutation({
    mutationFn: (form: Registration) => call('POST', '/api/user/register', { body: form, query: { turnstile } }),
    meta: inline,
  })

export const useSendCode = () =>
  useMutation({
    mutationFn: (wish: { email: string; turnstile: string }) => get('/api/verification', wish),
    meta: inline,
  })

export const useSendReset = () =>
  useMutation({
    mutationFn: (wish: { email: string; turnstile: string }) => get('/api/reset_password', wish),
    meta: inline,
  })

export const useReset = () =>
  useMutation({
    mutationFn: (ticket: { email: string; token: string }) => post<string>('/api/user/reset', ticket),
    meta: inline,
  })

export type Provider = 'github' | 'oidc' | 'lark'

/** Sends the browser to a provider, to sign in there or to bind its account there. */
export const useDepart = () =>
  useMutation({
    mutationFn: async (provider: Provider) => {
      const answer = await fetch(`/api/oauth/state?provider=${provider}`)
      const { success, message, url } = (await answer.json()) as { success: boolean; message: string; url?: string }
      if (!success || !url) throw new Error(message || answer.statusText)
      location.assign(url)
    },
  })

/** Seconds until a mail may be sent again. */
export function useCountdown(seconds: number) {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    if (left === 0) return
    const timer = window.setTimeout(() => setLeft(left - 1), 1000)
    return () => window.clearTimeout(timer)
  }, [left])
  return { left, start: () => setLeft(seconds) }
}
