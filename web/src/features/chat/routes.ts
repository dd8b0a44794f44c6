import { createRoute, lazyRouteComponent } from '@tanstack/react-router'

import { root } from '../../app/root'

const ChatPage = lazyRouteComponent(() => import('./ChatPage'), 'ChatPage')

export const routes = [createRoute({ getParentRoute: () => root, path: '/chat', component: ChatPage })] as const
