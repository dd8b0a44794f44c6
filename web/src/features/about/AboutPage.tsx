import { Anchor, Card, Stack, Text, VisuallyHidden } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { get } from '../../api/client'
import { useStatus } from '../../app/session'
import { Failure } from '../../ui/Failure'
import { Page } from '../../ui/Page'
import { Prose } from '../../ui/Prose'
import { Waiting } from '../../ui/Waiting'

export function AboutPage() {
  const { t } = useTranslation()
  const status = useStatus().data
  const about = useQuery({ queryKey: ['about'], queryFn: () => get<string>('/api/about'), staleTime: 60_000 })
  if (about.isPending) return <Waiting />
  if (about.isError) return <Failure error={about.error} retry={about.refetch} />
  if (about.data.trim())
    return (
      <Stack flex={1}>
        <VisuallyHidden component="h1">{t('about.title')}</VisuallyHidden>
        <Prose text={about.data} title={t('about.title')} />
      </Stack>
    )
  return (
    <Page title={t('about.title')}>
      <Card withBorder p="lg">
        <Stack gap="sm">
          <Text>{t('about.text')}</Text>
          <Text c="dimmed">{t('about.version', { version: status?.version ?? '' })}</Text>
          <Text>
            <Anchor href="/api/docs" underline="always">
              {t('app.docs')}
            </Anchor>
          </Text>
        </Stack>
      </Card>
    </Page>
  )
}
