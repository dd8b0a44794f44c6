import { createRoute } from '@tanstack/react-router'

import { root } from '../../app/root'
import { HomePage } from './HomePage'

export const routes = [createRoute({ getParentRoute: () => root, path: '/', component: HomePage })] as const
