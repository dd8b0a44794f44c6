import { Anchor, Center, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { tell } from '../../ui/notify'
import { Waiting } from '../../ui/Waiting'
import type { Provider } from './api'
import { Panel } from './Panel'

interface Answer {
  success: boolean
  message: string
}

/** What came back is good once: not asked twice, whatever React does. */
const asked = new Map<string, Promise<Answer>>()

function ask(provider: Provider, query: string): Promise<Answer> {
  const path = `/api/oauth/${provider}${query}`
  const answer = asked.get(path) ?? fetch(path).then((response) => response.json() as Promise<Answer>)
  asked.set(path, answer)
  return answer
}

/** Where a provider sends the browser back to. */
export function CallbackPage({ provider }: { provider: Provider }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [error, setError] = useState<Error | null>(null)
  useEffect(() => {
    ask(provider, location.search)
      .then(async ({ success, message }) => {
        if (!success) throw new Error(message)
        await client.resetQueries()
        if (message === 'bind') tell(t('account.callback.bound'))
        await navigate({ to: message === 'bind' ? '/profile' : '/', replace: true })
      })
      .catch((reason: unknown) => setError(reason instanceof Error ? reason : new Error(String(reason))))
  }, [provider, client, navigate, t])
  const title = t('account.callback.title', { name: t(`account.elsewhere.${provider}`) })
  return (
    <Panel title={title} error={error}>
      {error ? (
        <Anchor component={Link} to="/login" underline="always">
          {t('account.back')}
        </Anchor>
      ) : (
        <Center>
          <Stack align="center">
            <Waiting />
            <Text c="dimmed">{t('account.callback.wait')}</Text>
          </Stack>
        </Center>
      )}
    </Panel>
  )
}

export const GitHubCallback = () => <CallbackPage provider="github" />
export const LarkCallback = () => <CallbackPage provider="lark" />
export const OidcCallback = () => <CallbackPage provider="oidc" />
