import { ActionIcon, Group, Menu, Switch } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconCoin, IconDots, IconPencil } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ADMIN, ENABLED, ROOT, type User } from '../../api/types'
import { useSession } from '../../app/session'
import { Confirm } from '../../ui/Confirm'
import { tell } from '../../ui/notify'
import { useManage, type Action } from './api'
import { TopUpDialog } from './TopUpDialog'

/** What may be done to a user: only by those above him, and never to root. */
export function UserActions({ user }: { user: User }) {
  const { t } = useTranslation()
  const me = useSession().data
  const manage = useManage()
  const [asked, setAsked] = useState<Action | null>(null)
  const [topping, topUp] = useDisclosure()
  const { username: name } = user
  const mine = me?.role === ROOT
  const below = (me?.role ?? 0) > user.role && user.role < ROOT
  const on = user.status === ENABLED
  const run = (action: Action) =>
    manage.mutate({ username: name, action }, { onSuccess: () => tell(t('common.saved')) })
  return (
    <Group gap={4} wrap="nowrap">
      <Switch
        checked={on}
        disabled={!below}
        aria-label={`${t(on ? 'common.disable' : 'common.enable')} ${name}`}
        onChange={() => (on ? setAsked('disable') : run('enable'))}
        mr="xs"
      />
      <ActionIcon variant="subtle" aria-label={`${t('users.topUp')} ${name}`} title={t('users.topUp')} onClick={topUp.open}>
        <IconCoin size={18} />
      </ActionIcon>
      {below || (mine && user.id === me.id) ? (
        <ActionIcon
          renderRoot={(props) => <Link {...props} to="/user/edit/$id" params={{ id: String(user.id) }} />}
          variant="subtle"
          aria-label={`${t('common.edit')} ${name}`}
        >
          <IconPencil size={18} />
        </ActionIcon>
      ) : null}
      {below && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" aria-label={t('users.more', { name })}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {mine && user.role < ADMIN && <Menu.Item onClick={() => setAsked('promote')}>{t('users.promote')}</Menu.Item>}
            {mine && user.role >= ADMIN && <Menu.Item onClick={() => setAsked('demote')}>{t('users.demote')}</Menu.Item>}
            <Menu.Item c="var(--mantine-color-error)" onClick={() => setAsked('delete')}>
              {t('common.remove')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {asked && asked !== 'enable' && (
        <Confirm
          opened
          title={`${t(`users.actions.${asked}`)} ${name}`}
          question={t(`users.confirm.${asked}`, { name })}
          action={t(`users.actions.${asked}`)}
          harmless={asked === 'promote'}
          onClose={() => setAsked(null)}
          onConfirm={() => run(asked)}
        />
      )}
      {topping && <TopUpDialog user={user} close={topUp.close} />}
    </Group>
  )
}
