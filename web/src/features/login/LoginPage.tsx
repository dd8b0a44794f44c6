import { Alert, Button, Card, PasswordInput, Stack, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { Navigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { useLogin, useSession } from '../../app/session'

export function LoginPage() {
  const { t } = useTranslation()
  const { next } = useSearch({ from: '/login' })
  const session = useSession()
  const login = useLogin()
  const required = (value: string) => (value ? null : t('common.required'))
  const form = useForm({
    initialValues: { username: '', password: '' },
    validate: { username: required, password: required },
  })
  if (session.data) return <Navigate to={next ?? '/'} />
  return (
    <Card withBorder p="xl" maw={400} mx="auto" mt="xl">
      <form onSubmit={form.onSubmit((credentials) => login.mutate(credentials))} noValidate>
        <Stack>
          <Title order={1} size="h2">
            {t('login.title')}
          </Title>
          {login.isError && (
            <Alert color="red" variant="outline" role="alert">
              {login.error.message}
            </Alert>
          )}
          <TextInput
            label={t('login.username')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            data-autofocus
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
    </Card>
  )
}
