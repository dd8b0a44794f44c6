import { Card, PasswordInput, Select, SimpleGrid, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { get } from '../../api/client'
import type { User } from '../../api/types'
import { FormButtons } from '../../ui/FormButtons'
import { Loaded } from '../../ui/Loaded'
import { tell } from '../../ui/notify'
import { focusFirst } from '../../ui/focus'
import { Page } from '../../ui/Page'
import { QuotaInput } from '../../ui/QuotaInput'
import { useAddUser, useSaveUser, useUser } from './api'

const SHORTEST = 8
const LONGEST = 20

export function NewUserPage() {
  const { t } = useTranslation()
  const leave = useLeave()
  const add = useAddUser()
  const rules = useRules()
  const form = useForm({
    initialValues: { username: '', display_name: '', password: '' },
    validate: { username: rules.required, password: rules.password },
  })
  return (
    <Page title={t('users.add')}>
      <Card withBorder p={{ base: 'md', sm: 'xl' }} maw={560}>
        <form ref={focusFirst} noValidate onSubmit={form.onSubmit((user) => add.mutate(user, { onSuccess: leave.saved }))}>
          <Stack>
            <TextInput
              label={t('users.username')}
              required
              maxLength={12}
              autoComplete="off"
              data-autofocus
              {...form.getInputProps('username')}
            />
            <TextInput label={t('users.displayName')} maxLength={20} {...form.getInputProps('display_name')} />
            <PasswordInput
              label={t('users.password')}
              description={t('users.passwordHint')}
              required
              autoComplete="new-password"
              visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
              {...form.getInputProps('password')}
            />
            <FormButtons cancel={leave.now} pending={add.isPending} />
          </Stack>
        </form>
      </Card>
    </Page>
  )
}

export function UserPage() {
  const { t } = useTranslation()
  const { id } = useParams({ from: '/user/edit/$id' })
  const user = useUser(Number(id) || 0)
  return (
    <Page title={t('users.edit')} intro={user.data && `#${user.data.id} · ${user.data.username}`}>
      <Loaded query={user}>{(found) => <EditForm user={found} />}</Loaded>
    </Page>
  )
}

function EditForm({ user }: { user: User }) {
  const { t } = useTranslation()
  const leave = useLeave()
  const save = useSaveUser()
  const rules = useRules()
  const groups = useQuery({ queryKey: ['groups'], queryFn: () => get<string[]>('/api/group/') }).data ?? []
  const form = useForm({
    initialValues: {
      username: user.username,
      display_name: user.display_name,
      password: '',
      group: user.group || 'default',
      quota: user.quota as number | string,
    },
    validate: {
      username: rules.required,
      password: (password) => (password ? rules.password(password) : null),
      quota: (quota) => (quota !== '' && Number(quota) >= 0 ? null : t('common.required')),
    },
  })
  return (
    <Card withBorder p={{ base: 'md', sm: 'xl' }} maw={720}>
      <form
        ref={focusFirst}
        noValidate
        onSubmit={form.onSubmit(({ quota, ...entered }) => {
          const money = Number(quota) === user.quota ? {} : { quota: Number(quota), quota_before: user.quota }
          save.mutate({ id: user.id, ...entered, ...money }, { onSuccess: leave.saved })
        })}
      >
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput
              label={t('users.username')}
              required
              autoComplete="off"
              data-autofocus
              {...form.getInputProps('username')}
            />
            <TextInput label={t('users.displayName')} maxLength={20} {...form.getInputProps('display_name')} />
          </SimpleGrid>
          <PasswordInput
            label={t('users.password')}
            description={t('users.passwordKept')}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': t('login.reveal') }}
            {...form.getInputProps('password')}
          />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select
              label={t('users.group')}
              description={t('users.groupHint')}
              data={[...new Set([...groups, user.group || 'default'])]}
              allowDeselect={false}
              {...form.getInputProps('group')}
            />
            <QuotaInput label={t('users.quota')} min={0} {...form.getInputProps('quota')} />
          </SimpleGrid>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {(['email', 'github_id', 'wechat_id', 'lark_id', 'oidc_id'] as const).map((way) => (
              <TextInput key={way} label={t(`users.ways.${way}`)} value={user[way]} readOnly placeholder={t('users.unbound')} />
            ))}
          </SimpleGrid>
          <FormButtons cancel={leave.now} pending={save.isPending} />
        </Stack>
      </form>
    </Card>
  )
}

function useLeave() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const now = () => void navigate({ to: '/user' })
  return {
    now,
    saved: () => {
      tell(t('common.saved'))
      now()
    },
  }
}

function useRules() {
  const { t } = useTranslation()
  return {
    required: (value: string) => (value.trim() ? null : t('common.required')),
    password: (value: string) => (value.length >= SHORTEST && value.length <= LONGEST ? null : t('users.passwordHint')),
  }
}
