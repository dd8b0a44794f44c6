import { Anchor, Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { GoTo, useLogin, useSession } from '../../app/session'
import { Elsewhere } from '../account/Elsewhere'
import { Panel } from '../account/Panel'

export function LoginPage() {
  const { t } = useTranslation()
  const { next } = useSearch({ from: '/login' })
  const session = useSession()
  const client = useQueryClient()
  const login = useLogin()
  const required = (value: string) => (value ? null : t('common.required'))
  const form = useForm({
    initialValues: { username: '', password: '' },
    validate: { username: required, password: required },
  })
  if (session.data) return <GoTo href={next ?? '/'} />
  return (
    <Panel title={t('login.title')} error={login.error}>
      <form onSubmit={form.onSubmit((credentials) => login.mutate(credentials))} noValidate>
        <Stack>
          <TextInput
            label={t('login.username')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            // The page has nothing else to do, and whoever comes here wants to type.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            {...form.getInputProps('username')}
          />
          <PasswordInput
            label={t('login.password')}
            autoComplete="current-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={login.isPending}>
            {t('login.submit')}
          </Button>
        </Stack>
      </form>
      <Elsewhere done={() => void client.resetQueries()} />
      <Group justify="space-between">
        <Anchor component={Link} to="/register" underline="always" size="sm">
          {t('login.register')}
        </Anchor>
        <Anchor component={Link} to="/reset" underline="always" size="sm">
          {t('login.forgotten')}
        </Anchor>
      </Group>
    </Panel>
  )
}
