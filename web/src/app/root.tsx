import { Anchor, Stack, Text, Title } from '@mantine/core'
import { createRootRoute, Link, type ErrorComponentProps } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { Failure } from '../ui/Failure'
import { Shell } from './Shell'

/** The route that the routes of all features hang from. */
export const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken })

function NotFound() {
  const { t } = useTranslation()
  return (
    <Stack align="center" gap="xs" my="10vh" ta="center">
      <Text fz={72} fw={700} lh={1} c="dimmed" aria-hidden>
        404
      </Text>
      <Title order={1} size="h2">
        {t('app.notFound')}
      </Title>
      <Text c="dimmed">{t('app.notFoundHint')}</Text>
      <Anchor component={Link} to="/" underline="always" mt="sm">
        {t('app.goHome')}
      </Anchor>
    </Stack>
  )
}

function Broken({ error, reset }: ErrorComponentProps) {
  return <Failure error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
}
