import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'
import type { Filters } from './api'

const LogsPage = lazyRouteComponent(() => import('./LogsPage'), 'LogsPage')

const word = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '') || undefined
const number = (value: unknown) => (typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined)

export const routes = [
  createRoute({
    getParentRoute: () => root,
    path: '/log',
    component: forUsers(LogsPage),
    validateSearch: (search: Record<string, unknown>): Filters & { p?: number; own?: boolean } => ({
      p: number(search.p),
      type: number(search.type),
      model: word(search.model),
      token: word(search.token),
      user: word(search.user),
      channel: number(search.channel),
      start: number(search.start),
      end: number(search.end),
      own: search.own === true || undefined,
    }),
  }),
] as const
