import { Badge, Button, Group, Select, Stack, Table, Text } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ADMIN, ENABLED, ROOT, type User } from '../../api/types'
import { useFigures } from '../../ui/figures'
import { GroupBadge } from '../../ui/GroupBadge'
import { List } from '../../ui/List'
import { Page } from '../../ui/Page'
import { StateBadge } from '../../ui/StateBadge'
import { USERS } from './api'
import { UserActions } from './UserActions'

const orders = ['quota', 'used_quota', 'request_count'] as const

export function UsersPage() {
  const { t } = useTranslation()
  const [order, setOrder] = useState('')
  return (
    <Page
      title={t('users.title')}
      intro={t('users.intro')}
      actions={
        <Button component={Link} to="/user/add" leftSection={<IconPlus size={18} aria-hidden />}>
          {t('users.add')}
        </Button>
      }
    >
      <List<User>
        path={USERS}
        query={order ? { order } : undefined}
        heads={[
          t('users.user'),
          t('users.group'),
          t('users.left'),
          t('users.used'),
          t('users.requests'),
          t('users.role'),
          t('common.status'),
          t('common.actions'),
        ]}
        row={(user) => <Row key={user.id} user={user} />}
        search={t('users.search')}
        empty={t('users.empty')}
        tools={
          <Select
            aria-label={t('users.order')}
            data={[
              { value: '', label: t('users.orders.newest') },
              ...orders.map((name) => ({ value: name, label: t(`users.orders.${name}`) })),
            ]}
            allowDeselect={false}
            value={order}
            onChange={(chosen) => setOrder(chosen ?? '')}
            w={200}
          />
        }
      />
    </Page>
  )
}

function Row({ user }: { user: User }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const bound = (['email', 'github_id', 'wechat_id', 'lark_id', 'oidc_id'] as const).filter((way) => user[way])
  const role = user.role >= ROOT ? 'root' : user.role >= ADMIN ? 'admin' : 'common'
  const state = user.status === ENABLED ? 'enabled' : user.status === 3 ? 'deleted' : 'disabled'
  return (
    <Table.Tr>
      <Table.Td>
        <Stack gap={0}>
          <Text fw={500} maw={220} truncate title={user.username}>
            {user.username}
          </Text>
          <Text size="xs" c="dimmed" maw={220} truncate>
            {[`#${user.id}`, user.display_name !== user.username && user.display_name, user.email].filter(Boolean).join(' · ')}
          </Text>
          {bound.some((way) => way !== 'email') && (
            <Group gap={4} mt={2}>
              {bound
                .filter((way) => way !== 'email')
                .map((way) => (
                  <Badge key={way} size="xs" variant="default" tt="none">
                    {t(`users.ways.${way}`)}
                  </Badge>
                ))}
            </Group>
          )}
        </Stack>
      </Table.Td>
      <Table.Td>
        <GroupBadge name={user.group} />
      </Table.Td>
      <Table.Td>{figures.quota(user.quota)}</Table.Td>
      <Table.Td>{figures.quota(user.used_quota)}</Table.Td>
      <Table.Td>{figures.count(user.request_count)}</Table.Td>
      <Table.Td>
        <Badge variant={role === 'common' ? 'default' : 'filled'} color={role === 'root' ? 'grape.9' : 'indigo.8'} tt="none">
          {t(`users.roles.${role}`)}
        </Badge>
      </Table.Td>
      <Table.Td>
        <StateBadge color={state === 'enabled' ? 'teal' : 'red'} label={t(`users.states.${state}`)} />
      </Table.Td>
      <Table.Td>{state !== 'deleted' && <UserActions user={user} />}</Table.Td>
    </Table.Tr>
  )
}
