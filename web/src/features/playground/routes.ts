import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { forUsers } from '../../app/guard'
import { root } from '../../app/root'

const PlaygroundPage = lazyRouteComponent(() => import('./PlaygroundPage'), 'PlaygroundPage')

export const routes = [
  createRoute({
    getParentRoute: () => root,
    path: '/playground',
    component: forUsers(PlaygroundPage),
    validateSearch: ({ token }: Record<string, unknown>): { token?: number } => ({
      token: typeof token === 'number' && token > 0 ? token : undefined,
    }),
  }),
] as const
