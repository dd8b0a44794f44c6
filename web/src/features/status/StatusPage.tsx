import { Anchor, Card, Code, CopyButton, Group, ActionIcon, List, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { Status, User } from '../../api/types'
import { isAdmin, useSession, useStatus } from '../../app/session'
import { Failure } from '../../ui/Failure'
import { useFigures } from '../../ui/figures'
import { Page } from '../../ui/Page'
import { Waiting } from '../../ui/Waiting'

export function StatusPage() {
  const { t } = useTranslation()
  const status = useStatus()
  const session = useSession()
  return (
    <Page title={t('status.title')}>
      {status.isPending && <Waiting />}
      {status.isError && <Failure error={new Error(t('status.offline'))} retry={status.refetch} />}
      {status.data && (
        <SimpleGrid cols={{ base: 1, md: session.data ? 2 : 1 }}>
          <Gateway status={status.data} />
          {session.data && <Account user={session.data} />}
        </SimpleGrid>
      )}
      {session.data && <FirstSteps admin={isAdmin(session.data)} />}
    </Page>
  )
}

function Facts({ title, facts }: { title: string; facts: (readonly [string, string])[] }) {
  return (
    <Card withBorder p="lg">
      <Title order={2} size="h4" mb="md">
        {title}
      </Title>
      <Stack gap="xs" component="dl" m={0}>
        {facts.map(([name, value]) => (
          <Group key={name} justify="space-between" wrap="nowrap" align="baseline">
            <Text component="dt" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} ta="right" style={{ overflowWrap: 'anywhere' }}>
              {value}
            </Text>
          </Group>
        ))}
      </Stack>
    </Card>
  )
}

function Gateway({ status }: { status: Status }) {
  const { t } = useTranslation()
  const figures = useFigures()
  return (
    <Facts
      title={status.system_name}
      facts={[
        [t('status.version'), status.version],
        [t('status.started'), figures.time(status.start_time)],
        [t('status.address'), `${location.origin}/v1`],
      ]}
    />
  )
}

function Account({ user }: { user: User }) {
  const { t } = useTranslation()
  const figures = useFigures()
  return (
    <Facts
      title={t('status.account')}
      facts={[
        [t('status.quota'), figures.quota(user.quota)],
        [t('status.used'), figures.quota(user.used_quota)],
        [t('status.requests'), figures.count(user.request_count)],
        [t('status.group'), user.group],
      ]}
    />
  )
}

function FirstSteps({ admin }: { admin: boolean }) {
  const { t } = useTranslation()
  const command = [
    `curl ${location.origin}/v1/chat/completions \\`,
    `  -H "Authorization: Bearer sk-..." -H "Content-Type: application/json" \\`,
    `  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'`,
  ].join('\n')
  return (
    <Card withBorder p="lg">
      <Title order={2} size="h4" mb="md">
        {t('status.start')}
      </Title>
      <List type="ordered" spacing="xs">
        {admin && (
          <List.Item>
            <Anchor component={Link} to="/channel" underline="always">
              {t('channels.title')}
            </Anchor>
            {' · '}
            {t('status.channels')}
          </List.Item>
        )}
        <List.Item>
          <Anchor component={Link} to="/token" underline="always">
            {t('tokens.title')}
          </Anchor>
          {' · '}
          {t('status.tokens')}
        </List.Item>
        <List.Item>
          <Anchor component={Link} to="/playground" underline="always">
            {t('playground.title')}
          </Anchor>
          {' · '}
          {t('status.playground')}
        </List.Item>
      </List>
      <Group mt="md" align="flex-start" wrap="nowrap">
        <Code block flex={1} style={{ minWidth: 0 }} tabIndex={0}>
          {command}
        </Code>
        <CopyButton value={command}>
          {({ copied, copy }) => (
            <ActionIcon variant="default" size="lg" aria-label={t('status.copy')} onClick={copy}>
              {copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
            </ActionIcon>
          )}
        </CopyButton>
      </Group>
    </Card>
  )
}
