import { Text } from '@mantine/core'
import { createRootRoute, type ErrorComponentProps } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { Failure } from '../ui/Failure'
import { Shell } from './Shell'

/** The route that the routes of all features hang from. */
export const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken })

function NotFound() {
  const { t } = useTranslation()
  return <Text>{t('app.notFound')}</Text>
}

function Broken({ error, reset }: ErrorComponentProps) {
  return <Failure error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
}
