import { createRoute } from '@tanstack/react-router'

import { root } from '../../app/root'
import { LoginPage } from './LoginPage'

export const routes = [
  createRoute({
    getParentRoute: () => root,
    path: '/login',
    component: LoginPage,
    // Only a path of ours: a whole address would send whoever logs in to another site.
    validateSearch: ({ next }: Record<string, unknown>): { next?: string } =>
      typeof next === 'string' && /^\/(?![/\\])/.test(next) ? { next } : {},
  }),
] as const
