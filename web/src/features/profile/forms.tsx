import { Alert, Button, Card, Group, PasswordInput, Stack, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useTranslation } from 'react-i18next'

import { hasDefaultPassword, passwordChanged, useUser } from '../../app/session'
import { tell } from '../../ui/notify'
import { useChangeSelf } from './api'

export function Names() {
  const { t } = useTranslation()
  const user = useUser()
  const change = useChangeSelf()
  const form = useForm({
    initialValues: { username: user.username, display_name: user.display_name },
    validate: { username: (name) => (name.trim() ? null : t('common.required')) },
  })
  // Only what was changed is sent: names from a provider may be longer than a form would take.
  const send = form.onSubmit(({ username, display_name }) =>
    change.mutate(
      {
        username: username.trim() === user.username ? undefined : username.trim(),
        display_name: display_name.trim() === user.display_name ? undefined : display_name.trim(),
      },
      { onSuccess: () => tell(t('common.saved')) },
    ),
  )
  return (
    <Card withBorder p="lg">
      <form onSubmit={send} noValidate>
        <Stack gap="sm">
          <Title order={2} size="h4">
            {t('profile.names')}
          </Title>
          <TextInput
            label={t('account.username')}
            autoComplete="username"
            error={change.error?.message}
            {...form.getInputProps('username')}
          />
          <TextInput label={t('profile.display')} autoComplete="nickname" {...form.getInputProps('display_name')} />
          <Group>
            <Button type="submit" variant="default" loading={change.isPending} disabled={!form.isDirty()}>
              {t('common.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  )
}

export function Password() {
  const { t } = useTranslation()
  const user = useUser()
  const change = useChangeSelf()
  const form = useForm({
    initialValues: { password: '', again: '' },
    validate: {
      password: (password) => (password.length < 8 || password.length > 20 ? t('account.register.passwordHint') : null),
      again: (again, { password }) => (again === password ? null : t('account.register.different')),
    },
  })
  const send = form.onSubmit(({ password }) =>
    change.mutate(
      { password },
      {
        onSuccess: () => {
          passwordChanged()
          form.reset()
          tell(t('profile.password.done'))
        },
      },
    ),
  )
  return (
    <Card withBorder p="lg">
      <form onSubmit={send} noValidate>
        <Stack gap="sm">
          <Title order={2} size="h4">
            {t('profile.password.title')}
          </Title>
          {hasDefaultPassword() && (
            <Alert variant="outline" color="orange">
              {t('profile.password.default')}
            </Alert>
          )}
          <input type="text" hidden readOnly autoComplete="username" value={user.username} />
          <PasswordInput
            label={t('profile.password.new')}
            description={t('account.register.passwordHint')}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
            {...form.getInputProps('password')}
            error={change.error?.message ?? form.errors.password}
          />
          <PasswordInput
            label={t('account.register.again')}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
            {...form.getInputProps('again')}
          />
          <Group>
            <Button type="submit" variant="default" loading={change.isPending} disabled={!form.isDirty()}>
              {t('profile.password.submit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  )
}
