import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

import { ApiError } from '../api/client'
import { i18n } from '../i18n'
import { warn } from '../ui/notify'

export const SELF = ['self']

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the gateway refused, it refuses again; what did not reach it, may.
      retry: (count, error) => !(error instanceof ApiError) && count < 2,
    },
  },
  queryCache: new QueryCache({
    onError: forgetSession,
    onSuccess: (data, query) => {
      if (query.queryKey[0] === SELF[0]) expect(Boolean(data))
    },
  }),
  mutationCache: new MutationCache({
    onError: (error, _input, _context, mutation) => {
      forgetSession(error)
      if (!mutation.meta?.inline) warn(error.message) // `inline`: the page itself shows it
    },
  }),
})

let hadSession = false

/** A session that is there now and is gone later has expired, unless somebody logs out. */
function expect(session: boolean) {
  if (hadSession && !session) warn(i18n.t('app.expired'))
  hadSession = session
}

export function forgetExpiry() {
  hadSession = false
}

/** 401 is the gateway's word for a session that ended; the pages then show the login. */
function forgetSession(error: Error) {
  if (!(error instanceof ApiError && error.status === 401)) return
  expect(false)
  queryClient.setQueryData(SELF, null)
}
