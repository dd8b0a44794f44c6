import { Anchor, Button, Group, Stack, Tabs, Text } from '@mantine/core'
import { IconExternalLink, IconMessage } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import type { Token } from '../../api/types'
import { useStatus } from '../../app/session'
import { CopyButton } from '../../ui/copy'
import { Snippet } from '../../ui/Snippet'
import { useModels } from './api'
import { address, useServer } from './server'
import { clients, snippets } from './uses'

/** The key in full, and in the forms that programs and clients want. */
export function UseToken({ token, fresh }: { token: Token; fresh: boolean }) {
  const { t } = useTranslation()
  const server = useServer()
  const chat = address(useStatus().data?.chat_link ?? '')
  const models = useModels()
  const key = `sk-${token.key}`
  const use = { server, key, model: token.models?.split(',')[0] || models.data?.[0] || 'gpt-4o-mini' }
  return (
    <Stack>
      {fresh && <Text>{t('tokens.fresh')}</Text>}
      <Snippet text={key} label={t('tokens.key')} />
      <Group gap="xs">
        <CopyButton text={key} label={t('tokens.copyKey')} size="xs" />
        <CopyButton text={`${server}/v1`} label={t('tokens.copyAddress')} size="xs" />
        <Button
          renderRoot={(props) => <Link {...props} to="/playground" search={{ token: token.id }} />}
          size="xs"
          variant="default"
          leftSection={<IconMessage size={16} aria-hidden />}
        >
          {t('tokens.try')}
        </Button>
      </Group>
      <Tabs defaultValue="curl" variant="pills" mt="xs" keepMounted={false}>
        <Tabs.List aria-label={t('tokens.forms')} style={{ gap: 4 }}>
          {snippets.map(({ name, label }) => (
            <Tabs.Tab key={name} value={name}>
              {name === 'env' ? t('tokens.env') : label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {snippets.map(({ name, label, text }) => (
          <Tabs.Panel key={name} value={name} pt="sm">
            <Snippet text={text(use)} label={name === 'env' ? t('tokens.env') : label} />
          </Tabs.Panel>
        ))}
      </Tabs>
      <Stack gap={4}>
        <Text size="sm" c="dimmed">
          {t('tokens.clients')}
        </Text>
        <Group gap="md">
          {clients({ server, key, chat }).map(({ name, link }) => (
            <Anchor key={name} href={link} target="_blank" rel="noreferrer" size="sm" underline="always">
              {name} <IconExternalLink size={14} aria-hidden style={{ verticalAlign: -2 }} />
            </Anchor>
          ))}
        </Group>
      </Stack>
    </Stack>
  )
}
