import { Text } from '@mantine/core'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, type ErrorComponentProps } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { LoginPage } from '../features/login/LoginPage'
import { StatusPage } from '../features/status/StatusPage'
import { Failure } from '../ui/Failure'
import { Private } from './session'
import { Shell } from './Shell'

const TokensPage = lazyRouteComponent(() => import('../features/tokens/TokensPage'), 'TokensPage')
const ChannelsPage = lazyRouteComponent(() => import('../features/channels/ChannelsPage'), 'ChannelsPage')
const PlaygroundPage = lazyRouteComponent(() => import('../features/playground/PlaygroundPage'), 'PlaygroundPage')

/** Paths are those of One API's consoles: people have bookmarks. */
const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken })

const routes = [
  createRoute({ getParentRoute: () => root, path: '/', component: StatusPage }),
  createRoute({
    getParentRoute: () => root,
    path: '/login',
    component: LoginPage,
    // Only a path of ours: a whole address would send whoever logs in to another site.
    validateSearch: ({ next }: Record<string, unknown>): { next?: string } =>
      typeof next === 'string' && /^\/(?![/\\])/.test(next) ? { next } : {},
  }),
  createRoute({ getParentRoute: () => root, path: '/token', component: Tokens }),
  createRoute({ getParentRoute: () => root, path: '/channel', component: Channels }),
  createRoute({ getParentRoute: () => root, path: '/playground', component: Playground }),
]

function Tokens() {
  return (
    <Private>
      <TokensPage />
    </Private>
  )
}

function Channels() {
  return (
    <Private admin>
      <ChannelsPage />
    </Private>
  )
}

function Playground() {
  return (
    <Private>
      <PlaygroundPage />
    </Private>
  )
}

function NotFound() {
  const { t } = useTranslation()
  return <Text>{t('app.notFound')}</Text>
}

function Broken({ error, reset }: ErrorComponentProps) {
  return <Failure error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
}

export const router = createRouter({ routeTree: root.addChildren(routes) })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
