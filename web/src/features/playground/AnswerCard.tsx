import { Alert, Box, Button, Card, Collapse, Group, Image, Loader, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconCode, IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

import { get } from '../../api/client'
import type { Log } from '../../api/types'
import { CopyIcon } from '../../ui/copy'
import { useFigures } from '../../ui/figures'
import { Snippet } from '../../ui/Snippet'
import classes from './playground.module.css'
import type { Exchange } from './stream'
import type { Answer, Round } from './useConversation'

const Markdown = lazy(() => import('../../ui/Markdown'))

export function RoundCards({ round, again }: { round: Round; again?: () => void }) {
  const { t } = useTranslation()
  const { asked, answer } = round
  return (
    <>
      <Box className={classes.asked} role="group" aria-label={t('playground.you')}>
        {asked.images.map((image) => (
          <Image key={image} src={image} alt={t('playground.image')} mah={200} w="auto" fit="contain" radius="sm" mb={6} />
        ))}
        <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{asked.text}</Text>
      </Box>
      <Card withBorder p="md" component="section" aria-label={t('playground.answer')} aria-busy={answer.running}>
        <Stack gap="sm">
          {answer.thought && (
            <Text size="sm" c="dimmed" className={classes.thought}>
              {answer.thought}
            </Text>
          )}
          {answer.text && (
            <Suspense fallback={<Text style={{ whiteSpace: 'pre-wrap' }}>{answer.text}</Text>}>
              <Markdown text={answer.text} from="model" />
            </Suspense>
          )}
          {answer.running && !answer.text && <Loader type="dots" size="sm" role="status" aria-label={t('common.wait')} />}
          {answer.error && (
            <Alert color="red" variant="outline" role="alert" title={t('playground.refused')}>
              {answer.error}
            </Alert>
          )}
          {answer.stopped && (
            <Text size="sm" c="dimmed">
              {t('playground.stopped')}
            </Text>
          )}
          {!answer.running && <Figures answer={answer} again={again} />}
        </Stack>
      </Card>
    </>
  )
}

function Figures({ answer, again }: { answer: Answer; again?: () => void }) {
  const { t } = useTranslation()
  const [opened, exchange] = useDisclosure()
  const { usage, first, whole } = answer
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          {[
            first > 0 && t('playground.times', { first, whole }),
            usage?.output !== undefined && t('playground.tokens', { input: usage.input ?? 0, output: usage.output }),
          ]
            .filter(Boolean)
            .join(' · ')}
          <Cost requestId={answer.exchange?.requestId} />
        </Text>
        <Group gap={4}>
          {answer.text && <CopyIcon text={answer.text} label={t('playground.copy')} />}
          {again && (
            <Button
              size="compact-sm"
              variant="subtle"
              leftSection={<IconRefresh size={16} aria-hidden />}
              onClick={again}
            >
              {t('playground.again')}
            </Button>
          )}
          {answer.exchange && (
            <Button
              size="compact-sm"
              variant="subtle"
              leftSection={<IconCode size={16} aria-hidden />}
              onClick={exchange.toggle}
              aria-expanded={opened}
            >
              {t('playground.raw')}
            </Button>
          )}
        </Group>
      </Group>
      {answer.exchange && (
        <Collapse expanded={opened}>
          <Raw exchange={answer.exchange} />
        </Collapse>
      )}
    </>
  )
}

const PATIENCE = 10

/** The cost stands in the log, a moment after the answer has ended. */
function Cost({ requestId }: { requestId: string | undefined }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const cost = useQuery({
    queryKey: ['cost', requestId],
    queryFn: async () => {
      const newest = await get<Log[]>('/api/log/self', { p: 0, type: 2 })
      return newest.find((log) => log.request_id === requestId)?.quota ?? null
    },
    enabled: requestId !== undefined,
    refetchInterval: (query) => (query.state.data == null && query.state.dataUpdateCount < PATIENCE ? 500 : false),
    staleTime: Infinity,
  })
  if (cost.data == null) return null
  return <> · {t('playground.cost', { cost: figures.exact(cost.data) })}</>
}

function Raw({ exchange }: { exchange: Exchange }) {
  const { t } = useTranslation()
  const head = Object.entries(exchange.headers).map(([name, value]) => `${name}: ${value}`)
  const request = [`${exchange.method} ${exchange.path}`, ...head, '', pretty(exchange.body)].join('\n')
  const answer = [
    `HTTP ${exchange.status ?? ''}`,
    ...(exchange.requestId ? [`x-oneapi-request-id: ${exchange.requestId}`] : []),
    '',
    pretty(exchange.answer),
  ].join('\n')
  return (
    <Stack gap="xs" className={classes.raw}>
      <Snippet text={request} label={t('playground.request')} />
      <Snippet text={answer} label={t('playground.response')} />
    </Stack>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
