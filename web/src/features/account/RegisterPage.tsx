import { Anchor, Button, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useLogin, useStatus } from '../../app/session'
import { useCountdown, useRegister, useSendCode } from './api'
import { Panel } from './Panel'
import { Turnstile } from './Turnstile'

const INVITED = 'aff' // One API's consoles keep it there too

export function RegisterPage() {
  const { t } = useTranslation()
  const status = useStatus().data
  const { aff } = useSearch({ from: '/register' })
  const navigate = useNavigate()
  const [turnstile, setTurnstile] = useState('')
  const register = useRegister(turnstile)
  const login = useLogin()
  useEffect(() => {
    if (aff) localStorage.setItem(INVITED, aff)
  }, [aff])
  const form = useForm({
    initialValues: { username: '', password: '', again: '', email: '', code: '' },
    validate: {
      username: (name) =>
        !name.trim() ? t('common.required') : Array.from(name.trim()).length > 12 ? t('account.register.nameLong') : null,
      password: (password) => (password.length < 8 || password.length > 20 ? t('account.register.passwordHint') : null),
      again: (again, { password }) => (again === password ? null : t('account.register.different')),
      email: (email) => (status?.email_verification && !email ? t('common.required') : null),
      code: (code) => (status?.email_verification && !code ? t('common.required') : null),
    },
  })
  const send = form.onSubmit(({ username, password, email, code }) =>
    register.mutate(
      {
        username: username.trim(),
        password,
        email,
        verification_code: code.trim(),
        aff_code: aff ?? localStorage.getItem(INVITED) ?? '',
      },
      {
        onSuccess: () =>
          login.mutate(
            { username: username.trim(), password },
            { onSettled: (_data, error) => void navigate({ to: error ? '/login' : '/' }) },
          ),
      },
    ),
  )
  return (
    <Panel title={t('account.register.title')} intro={aff ? t('account.register.invited') : undefined} error={register.error}>
      <form onSubmit={send} noValidate>
        <Stack>
          <TextInput
            label={t('account.username')}
            description={t('account.register.nameHint')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            {...form.getInputProps('username')}
          />
          <PasswordInput
            label={t('account.password')}
            description={t('account.register.passwordHint')}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
            {...form.getInputProps('password')}
          />
          <PasswordInput
            label={t('account.register.again')}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
            {...form.getInputProps('again')}
          />
          {status?.email_verification && (
            <MailCode email={form.getInputProps('email')} code={form.getInputProps('code')} turnstile={turnstile} />
          )}
          <Turnstile onToken={setTurnstile} />
          <Button
            type="submit"
            loading={register.isPending || login.isPending}
            disabled={status?.turnstile_check && !turnstile}
          >
            {t('account.register.submit')}
          </Button>
        </Stack>
      </form>
      <Text size="sm">
        {t('account.register.have')}{' '}
        <Anchor component={Link} to="/login" underline="always" inherit>
          {t('login.submit')}
        </Anchor>
      </Text>
    </Panel>
  )
}

interface Field {
  value?: string
  onChange: (value: unknown) => void
  error?: unknown
}

/** An address, a button that sends a code to it, and the code. */
export function MailCode({ email, code, turnstile }: { email: Field; code: Field; turnstile: string }) {
  const { t } = useTranslation()
  const status = useStatus().data
  const mail = useSendCode()
  const wait = useCountdown(30)
  return (
    <>
      <TextInput
        type="email"
        label={t('account.email')}
        autoComplete="email"
        value={email.value ?? ''}
        onChange={email.onChange}
        error={mail.error?.message ?? (email.error as string | undefined)}
      />
      <Group align="flex-end" wrap="nowrap">
        <TextInput
          label={t('account.code')}
          autoComplete="one-time-code"
          flex={1}
          value={code.value ?? ''}
          onChange={code.onChange}
          error={code.error as string | undefined}
        />
        <Button
          variant="default"
          loading={mail.isPending}
          disabled={!email.value || wait.left > 0 || (status?.turnstile_check && !turnstile)}
          onClick={() => mail.mutate({ email: email.value ?? '', turnstile }, { onSuccess: wait.start })}
        >
          {wait.left > 0 ? t('account.again', { seconds: wait.left }) : t('account.sendCode')}
        </Button>
      </Group>
      {mail.isSuccess && (
        <Text size="sm" role="status">
          {t('account.codeSent')}
        </Text>
      )}
    </>
  )
}
