import { createRoute, useParams } from '@tanstack/react-router'

import { root } from './root'
import { GoTo } from './session'

/** Pages of One API's consoles that have another address here. Mails, bookmarks and other sites lead to them. */
export const routes = [
  moved('/panel', '/'),
  moved('/panel/profile', '/profile'),
  moved('/panel/setting', '/settings'),
  moved('/setting', '/profile'),
  moved('/user/edit', '/profile'),
  moved('/detail', '/dashboard'),
  createRoute({ getParentRoute: () => root, path: '/panel/$', component: Panel }),
] as const

function moved<Path extends string>(path: Path, to: string) {
  return createRoute({ getParentRoute: () => root, path, component: () => <GoTo href={to + location.search} /> })
}

/** The console `berry` had all its pages below this one. */
function Panel() {
  const { _splat: page = '' } = useParams({ strict: false })
  return <GoTo href={`/${page.replace(/^\/+/, '')}${location.search}`} />
}
