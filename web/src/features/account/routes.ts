import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { root } from '../../app/root'

const callbacks = () => import('./CallbackPage')
const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined)

export const routes = [
  createRoute({
    getParentRoute: () => root,
    path: '/register',
    component: lazyRouteComponent(() => import('./RegisterPage'), 'RegisterPage'),
    validateSearch: ({ aff }: Record<string, unknown>): { aff?: string } => ({ aff: text(aff) }),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/reset',
    component: lazyRouteComponent(() => import('./ResetPage'), 'ResetPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/user/reset',
    component: lazyRouteComponent(() => import('./NewPasswordPage'), 'NewPasswordPage'),
    validateSearch: ({ email, token }: Record<string, unknown>): { email?: string; token?: string } => ({
      email: text(email),
      token: text(token),
    }),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/oauth/github',
    component: lazyRouteComponent(callbacks, 'GitHubCallback'),
  }),
  createRoute({ getParentRoute: () => root, path: '/oauth/lark', component: lazyRouteComponent(callbacks, 'LarkCallback') }),
  createRoute({ getParentRoute: () => root, path: '/oauth/oidc', component: lazyRouteComponent(callbacks, 'OidcCallback') }),
] as const
