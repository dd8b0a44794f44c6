import { Anchor, Card, SimpleGrid, Text, Title } from '@mantine/core'
import { IconChartBar, IconKey, IconMessage, IconWallet } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { User } from '../../api/types'
import { useStatus } from '../../app/session'
import { Facts } from '../../ui/Facts'
import { useFigures } from '../../ui/figures'
import { Snippet } from '../../ui/Snippet'
import { useServer } from '../tokens/server'
import classes from './home.module.css'

const ways = [
  { to: '/playground', icon: IconMessage, text: 'home.ways.playground' },
  { to: '/token', icon: IconKey, text: 'home.ways.tokens' },
  { to: '/dashboard', icon: IconChartBar, text: 'home.ways.dashboard' },
  { to: '/topup', icon: IconWallet, text: 'home.ways.topup' },
] as const
const titles = {
  '/playground': 'playground.title',
  '/token': 'tokens.title',
  '/dashboard': 'dashboard.title',
  '/topup': 'topup.title',
} as const

/** The built-in home page of those who are logged in. */
export function Overview({ user }: { user: User }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const status = useStatus().data
  const server = useServer()
  return (
    <>
      <Title order={1} size="h2">
        {t('home.hello', { name: user.display_name || user.username })}
      </Title>
      <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: 'sm', sm: 'md' }}>
        {ways.map(({ to, icon: Icon, text }) => (
          <Card key={to} component={Link} to={to} withBorder p={{ base: 'sm', sm: 'lg' }} className={classes.way}>
            <Icon size={24} aria-hidden className={classes.icon} />
            <Text fw={600} mt="xs">
              {t(titles[to])}
            </Text>
            <Text size="sm" c="dimmed">
              {t(text)}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Facts
          title={t('home.account')}
          facts={[
            [t('home.quota'), figures.quota(user.quota)],
            [t('home.used'), figures.quota(user.used_quota)],
            [t('home.requests'), figures.count(user.request_count)],
            [t('home.group'), user.group],
          ]}
        />
        {status && (
          <Facts
            title={status.system_name}
            facts={[
              [t('home.version'), status.version],
              [t('home.started'), figures.time(status.start_time)],
              [t('home.address'), `${server}/v1`],
              [
                t('home.interface'),
                <Anchor key="docs" href="/api/docs" underline="always">
                  /api/docs
                </Anchor>,
              ],
            ]}
          />
        )}
      </SimpleGrid>
      <Card withBorder p="lg">
        <Title order={2} size="h4" mb={4}>
          {t('home.terminal')}
        </Title>
        <Text c="dimmed" mb="md">
          {t('home.terminalHint')}
        </Text>
        <Snippet label={t('home.terminal')} text={command(server)} />
      </Card>
    </>
  )
}

const command = (server: string) =>
  [
    `curl ${server}/v1/chat/completions \\`,
    `  -H "Authorization: Bearer sk-..." -H "Content-Type: application/json" \\`,
    `  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'`,
  ].join('\n')
