import { Alert, Anchor, Autocomplete, Button, Card, Group, Select, SimpleGrid, Stack, Text, Textarea } from '@mantine/core'
import { IconPlayerStop, IconSend } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ENABLED } from '../../api/types'
import { Page } from '../../ui/Page'
import { useModels, useTokens } from '../tokens/api'
import { ask, type Usage } from './stream'

export function PlaygroundPage() {
  const { t } = useTranslation()
  const tokens = useTokens()
  const models = useModels()
  const [picked, setPicked] = useState<string | null>(null)
  const [typed, setTyped] = useState<string | null>(null)
  const [prompt, setPrompt] = useState('')
  const answer = useAnswer()

  const usable = (tokens.data ?? []).filter((token) => token.status === ENABLED)
  const token = usable.find(({ id }) => String(id) === picked) ?? usable[0]
  const model = typed ?? models.data?.[0] ?? ''
  const ready = Boolean(token && model && prompt.trim())
  const send = () => {
    if (token && ready) void answer.start({ key: token.key, model, prompt })
  }

  return (
    <Page title={t('playground.title')} intro={t('playground.intro')}>
      {tokens.isSuccess && usable.length === 0 && (
        <Alert color="indigo" variant="outline">
          {t('playground.noToken')}{' '}
          <Anchor component={Link} to="/token" underline="always" inherit>
            {t('playground.makeToken')}
          </Anchor>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Select
          label={t('playground.token')}
          data={usable.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={token ? String(token.id) : null}
          onChange={setPicked}
          allowDeselect={false}
        />
        <Autocomplete
          label={t('playground.model')}
          placeholder={models.data?.length === 0 ? t('playground.noModels') : undefined}
          data={models.data ?? []}
          value={model}
          onChange={setTyped}
        />
      </SimpleGrid>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <Stack>
          <Textarea
            label={t('playground.prompt')}
            value={prompt}
            onChange={(event) => setPrompt(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send()
            }}
            autosize
            minRows={3}
            maxRows={12}
          />
          <Group>
            <Button
              type="submit"
              disabled={!ready}
              loading={answer.running}
              leftSection={<IconSend size={18} aria-hidden />}
            >
              {t('playground.send')}
            </Button>
            {answer.running && (
              <Button variant="default" leftSection={<IconPlayerStop size={18} aria-hidden />} onClick={answer.stop}>
                {t('playground.stop')}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
      {answer.error && (
        <Alert color="red" variant="outline" role="alert">
          {answer.error}
        </Alert>
      )}
      <Card withBorder p="lg" mih={120} component="section" aria-label={t('playground.answer')} aria-live="polite">
        <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} c={answer.text ? undefined : 'dimmed'}>
          {answer.text || t('playground.placeholder')}
        </Text>
        {answer.usage && (
          <Text size="sm" c="dimmed" mt="md">
            {t('playground.figures', {
              first: answer.first,
              input: answer.usage.prompt_tokens,
              output: answer.usage.completion_tokens,
            })}
          </Text>
        )}
      </Card>
    </Page>
  )
}

const nothing = { text: '', error: '', usage: undefined as Usage | undefined, first: 0 }

/** One answer at a time; leaving the page ends it, and with it the upstream call. */
function useAnswer() {
  const [state, setState] = useState(nothing)
  const [running, setRunning] = useState(false)
  const current = useRef<AbortController>(null)
  useEffect(() => () => current.current?.abort(), [])

  const start = async (question: { key: string; model: string; prompt: string }) => {
    current.current?.abort()
    const controller = new AbortController()
    current.current = controller
    setState(nothing)
    setRunning(true)
    const began = performance.now()
    try {
      for await (const { text, usage } of ask({ ...question, signal: controller.signal }))
        setState((was) => ({
          ...was,
          text: was.text + (text ?? ''),
          first: was.first || (text ? Math.round(performance.now() - began) : 0),
          usage: usage ?? was.usage,
        }))
    } catch (error) {
      if (!controller.signal.aborted) setState((was) => ({ ...was, error: (error as Error).message }))
    } finally {
      if (current.current === controller) setRunning(false)
    }
  }
  return { ...state, running, start, stop: () => current.current?.abort() }
}
