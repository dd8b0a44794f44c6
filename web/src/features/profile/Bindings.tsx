import { Button, Card, Group, Stack, Text, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { SELF } from '../../app/query'
import { useStatus, useUser } from '../../app/session'
import { Confirm } from '../../ui/Confirm'
import { Dialog } from '../../ui/Dialog'
import { tell } from '../../ui/notify'
import { useDepart, type Provider } from '../account/api'
import { offered, WeChat } from '../account/Elsewhere'
import { MailCode } from '../account/RegisterPage'
import { Turnstile } from '../account/Turnstile'
import { useBindMail, useUnbind } from './api'

/** Accounts elsewhere that open this one, and the address mails go to. */
export function Bindings() {
  const { t } = useTranslation()
  const user = useUser()
  const status = useStatus().data
  const depart = useDepart()
  const client = useQueryClient()
  const [mailing, mail] = useDisclosure()
  const [chatting, wechat] = useDisclosure()
  const bound: Record<Provider | 'wechat', string> = {
    github: user.github_id,
    oidc: user.oidc_id,
    lark: user.lark_id,
    wechat: user.wechat_id,
  }
  const names = new Set<Provider | 'wechat'>(offered(status).map(({ name }) => name))
  if (status?.wechat_login) names.add('wechat')
  for (const name of Object.keys(bound) as (keyof typeof bound)[]) if (bound[name]) names.add(name)
  const bind = (name: Provider | 'wechat') => (name === 'wechat' ? wechat.open() : depart.mutate(name))
  return (
    <Card withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('profile.bindings.title')}
        </Title>
        <Line name={t('account.email')} value={user.email}>
          <Button variant="default" size="xs" onClick={mail.open}>
            {t(user.email ? 'profile.bindings.change' : 'profile.bindings.bind')}
          </Button>
        </Line>
        {[...names].map((name) => (
          <Line key={name} name={t(`account.elsewhere.${name}`)} value={bound[name]}>
            {bound[name] ? (
              <Unbind name={name} />
            ) : (
              <Button variant="default" size="xs" loading={depart.isPending && depart.variables === name} onClick={() => bind(name)}>
                {t('profile.bindings.bind')}
              </Button>
            )}
          </Line>
        ))}
      </Stack>
      <Dialog opened={mailing} onClose={mail.close} title={t('account.email')} centered>
        <Mail done={mail.close} />
      </Dialog>
      <WeChat
        opened={chatting}
        close={wechat.close}
        path="/api/oauth/wechat/bind"
        done={() => void client.invalidateQueries({ queryKey: SELF })}
      />
    </Card>
  )
}

function Line({ name, value, children }: { name: string; value: string; children: ReactNode }) {
  const { t } = useTranslation()
  return (
    <Group justify="space-between" wrap="nowrap">
      <Stack gap={0} miw={0}>
        <Text>{name}</Text>
        <Text size="sm" c="dimmed" truncate>
          {value || t('profile.bindings.none')}
        </Text>
      </Stack>
      {children}
    </Group>
  )
}

function Unbind({ name }: { name: Provider | 'wechat' }) {
  const { t } = useTranslation()
  const [asking, question] = useDisclosure()
  const unbind = useUnbind()
  const shown = t(`account.elsewhere.${name}`)
  return (
    <>
      <Button variant="default" size="xs" onClick={question.open} loading={unbind.isPending}>
        {t('profile.bindings.unbind')}
      </Button>
      <Confirm
        opened={asking}
        title={t('profile.bindings.unbind')}
        question={t('profile.bindings.ask', { name: shown })}
        action={t('profile.bindings.unbind')}
        onConfirm={() => unbind.mutate(name)}
        onClose={question.close}
      />
    </>
  )
}

function Mail({ done }: { done: () => void }) {
  const { t } = useTranslation()
  const [turnstile, setTurnstile] = useState('')
  const bind = useBindMail()
  const form = useForm({
    initialValues: { email: '', code: '' },
    validate: { code: (code) => (code.trim() ? null : t('common.required')) },
  })
  const send = form.onSubmit(({ email, code }) =>
    bind.mutate(
      { email, code: code.trim() },
      {
        onSuccess: () => {
          tell(t('account.callback.bound'))
          done()
        },
        onError: (error) => form.setFieldError('code', error.message),
      },
    ),
  )
  return (
    <form onSubmit={send} noValidate>
      <Stack>
        <MailCode email={form.getInputProps('email')} code={form.getInputProps('code')} turnstile={turnstile} />
        <Turnstile onToken={setTurnstile} />
        <Button type="submit" loading={bind.isPending}>
          {t('common.confirm')}
        </Button>
      </Stack>
    </form>
  )
}
