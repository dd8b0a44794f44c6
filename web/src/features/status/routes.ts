import { createRoute } from '@tanstack/react-router'

import { root } from '../../app/root'
import { StatusPage } from './StatusPage'

export const routes = [createRoute({ getParentRoute: () => root, path: '/', component: StatusPage })] as const
