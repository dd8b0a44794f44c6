import { Alert, Button, Group, Text } from '@mantine/core'
import { IconMessageChatbot, IconPlus } from '@tabler/icons-react'
import { useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ENABLED } from '../../api/types'
import { Page } from '../../ui/Page'
import { useModels, useSaveToken, useTokens } from '../tokens/api'
import { RoundCards } from './AnswerCard'
import { Composer } from './Composer'
import classes from './playground.module.css'
import { protocols, type Turn } from './protocols'
import { Settings, useSettings } from './Settings'
import { useConversation } from './useConversation'

export function PlaygroundPage() {
  const { t } = useTranslation()
  const { token: wanted } = useSearch({ from: '/playground' })
  const tokens = useTokens()
  const models = useModels()
  const [settings, change] = useSettings(wanted)
  const conversation = useConversation()
  const [draft, setDraft] = useState<Turn>(empty)
  const bottom = useRef<HTMLDivElement>(null)

  const usable = (tokens.data ?? []).filter((token) => token.status === ENABLED)
  const token = usable.find(({ id }) => id === settings.token) ?? usable[0]
  const own = token?.models ? token.models.split(',') : (models.data ?? [])
  const model = settings.model ?? own.find((name) => TALKS.test(name)) ?? own[0] ?? ''
  const protocol = protocols.find(({ name }) => name === settings.protocol) ?? protocols[0]
  const ready = Boolean(token && model)
  const { rounds } = conversation

  // New text is followed, unless somebody has scrolled up to read.
  const length = rounds.at(-1)?.answer.text.length
  useEffect(() => {
    const room = document.documentElement
    if (rounds.length > 0 && room.scrollHeight - room.scrollTop - room.clientHeight < 160)
      bottom.current?.scrollIntoView({ block: 'end' })
  }, [rounds.length, length])

  const send = (turn: Turn) => {
    if (!token || !model) return
    const { system, temperature, topP, maxTokens } = settings
    setDraft(empty)
    void conversation.send(turn, { key: token.key, protocol, model, system, temperature, topP, maxTokens })
  }

  return (
    <Page
      title={t('playground.title')}
      intro={t('playground.intro')}
      actions={
        rounds.length > 0 && (
          <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={conversation.clear}>
            {t('playground.new')}
          </Button>
        )
      }
    >
      {tokens.isSuccess && usable.length === 0 && <NoToken />}
      <div className={classes.room}>
        <div className={classes.talk}>
          {rounds.length === 0 && (
            <div className={classes.empty}>
              <IconMessageChatbot size={44} stroke={1.3} aria-hidden />
              <Text c="dimmed">{t(models.data?.length === 0 ? 'playground.noModels' : 'playground.placeholder')}</Text>
            </div>
          )}
          {rounds.map((round, n) => (
            <RoundCards
              key={round.id}
              round={round}
              again={
                n === rounds.length - 1
                  ? () => {
                      conversation.takeBack()
                      setDraft(round.asked)
                    }
                  : undefined
              }
            />
          ))}
          <div className={classes.composer}>
            <Composer
              draft={draft}
              change={setDraft}
              ready={ready}
              running={conversation.running}
              send={() => send(draft)}
              stop={conversation.stop}
            />
          </div>
          <div ref={bottom} />
        </div>
        <Settings
          tokens={usable}
          token={token}
          models={own}
          model={model}
          protocol={protocol.name}
          settings={settings}
          change={change}
        />
      </div>
    </Page>
  )
}

/** Lists begin with models for other things; a wrong guess is one choice away. */
const TALKS = /^(gpt-[45]|claude|gemini|deepseek|qwen|glm|llama|mistral)/i

const empty: Turn = { role: 'user', text: '', images: [] }

/** One click instead of a form: whoever wants limits makes his own. */
function NoToken() {
  const { t } = useTranslation()
  const make = useSaveToken(null)
  return (
    <Alert variant="outline">
      <Group justify="space-between">
        <Text>{t('playground.noToken')}</Text>
        <Button
          size="xs"
          loading={make.isPending}
          onClick={() =>
            make.mutate({
              name: 'playground',
              unlimited_quota: true,
              remain_quota: 0,
              expired_time: -1,
              models: '',
              subnet: '',
            })
          }
        >
          {t('playground.makeToken')}
        </Button>
      </Group>
    </Alert>
  )
}
