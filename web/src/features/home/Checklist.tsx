import { Button, Card, Group, Progress, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { hasDefaultPassword, useUser } from '../../app/session'
import { useTokens } from '../tokens/api'
import { useHasChannel } from './api'

const HIDDEN = 'one-api-checklist'

/** What makes a new installation useful, in order. It goes when all is done, or when it is sent away. */
export function Checklist() {
  const { t } = useTranslation()
  const user = useUser()
  const channel = useHasChannel()
  const tokens = useTokens()
  const [hidden, setHidden] = useState(() => localStorage.getItem(HIDDEN) === 'hidden')
  if (hidden || !channel.isSuccess || !tokens.isSuccess) return null
  const steps = [
    { key: 'password', done: !hasDefaultPassword(), to: '/profile' },
    { key: 'channel', done: channel.data, to: '/channel/add' },
    { key: 'token', done: tokens.data.length > 0, to: '/token/add' },
    { key: 'call', done: user.request_count > 0, to: '/playground' },
  ] as const
  const next = steps.find((step) => !step.done)
  if (!next) return null
  const done = steps.filter((step) => step.done).length
  return (
    <Card withBorder p="lg" component="section" aria-labelledby="checklist">
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} size="h4" id="checklist">
          {t('home.checklist.title')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('home.checklist.done', { done, all: steps.length })}
        </Text>
      </Group>
      <Progress value={(done / steps.length) * 100} size="sm" mb="md" aria-label={t('home.checklist.title')} />
      <Stack component="ol" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
        {steps.map((step, index) => (
          <li key={step.key}>
            <Group wrap="nowrap" gap="sm" align="center">
              <ThemeIcon
                radius="xl"
                size={28}
                variant={step.done ? 'filled' : 'default'}
                color={step.done ? 'teal.9' : undefined}
                aria-hidden
              >
                {step.done ? <IconCheck size={16} /> : <Text size="sm">{index + 1}</Text>}
              </ThemeIcon>
              <Stack gap={0} flex={1}>
                <Text fw={step === next ? 600 : 400} td={step.done ? 'line-through' : undefined}>
                  {t(`home.checklist.${step.key}.title`)}
                </Text>
                {step === next && (
                  <Text size="sm" c="dimmed">
                    {t(`home.checklist.${step.key}.hint`)}
                  </Text>
                )}
              </Stack>
              {!step.done && (
                <Button component={Link} to={step.to} size="xs" variant={step === next ? 'filled' : 'default'}>
                  {t(`home.checklist.${step.key}.go`)}
                </Button>
              )}
            </Group>
          </li>
        ))}
      </Stack>
      <Group justify="flex-end" mt="md">
        <Button
          variant="subtle"
          size="compact-sm"
          color="gray"
          c="dimmed"
          onClick={() => {
            localStorage.setItem(HIDDEN, 'hidden')
            setHidden(true)
          }}
        >
          {t('home.checklist.hide')}
        </Button>
      </Group>
    </Card>
  )
}
