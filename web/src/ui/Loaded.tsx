import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { Failure } from './Failure'
import { Waiting } from './Waiting'

/** What is made of an answer, once it is there. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (found: T) => ReactNode }) {
  if (query.isError) return <Failure error={query.error} retry={query.refetch} />
  return query.isPending ? <Waiting /> : children(query.data)
}
