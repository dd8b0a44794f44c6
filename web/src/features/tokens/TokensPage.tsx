import { ActionIcon, Button, Group, Switch, Table, Text } from '@mantine/core'
import { useClipboard, useDisclosure } from '@mantine/hooks'
import { IconCopy, IconPencil, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { DISABLED, ENABLED, type Token } from '../../api/types'
import { Dialog } from '../../ui/Dialog'
import { useFigures } from '../../ui/figures'
import { List } from '../../ui/List'
import { tell } from '../../ui/notify'
import { Page } from '../../ui/Page'
import { Remove } from '../../ui/Remove'
import { StateBadge } from '../../ui/StateBadge'
import { TOKENS, useRemoveToken, useSwitchToken } from './api'
import { TokenForm } from './TokenForm'

const states = [
  ['unknown', 'gray'],
  ['enabled', 'teal'],
  ['disabled', 'gray'],
  ['expired', 'orange'],
  ['exhausted', 'red'],
] as const

export function TokensPage() {
  const { t } = useTranslation()
  const [opened, dialog] = useDisclosure()
  const [edited, setEdited] = useState<Token | null>(null)
  const open = (token: Token | null) => {
    setEdited(token)
    dialog.open()
  }
  return (
    <Page
      title={t('tokens.title')}
      intro={t('tokens.intro')}
      actions={
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => open(null)}>
          {t('tokens.add')}
        </Button>
      }
    >
      <List<Token>
        path={TOKENS}
        heads={[
          t('common.name'),
          t('common.status'),
          t('tokens.used'),
          t('tokens.left'),
          t('tokens.created'),
          t('tokens.expires'),
          t('common.actions'),
        ]}
        row={(token) => <Row key={token.id} token={token} edit={() => open(token)} />}
        empty={t('tokens.empty')}
      />
      <Dialog opened={opened} onClose={dialog.close} title={t(edited ? 'tokens.edit' : 'tokens.add')} size="lg">
        <TokenForm token={edited} done={dialog.close} />
      </Dialog>
    </Page>
  )
}

function Row({ token, edit }: { token: Token; edit: () => void }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const flip = useSwitchToken()
  const remove = useRemoveToken()
  const clipboard = useClipboard()
  const [state, color] = states[token.status] ?? states[0]
  const on = token.status === ENABLED
  return (
    <Table.Tr>
      <Table.Td fw={500}>{token.name}</Table.Td>
      <Table.Td>
        <StateBadge color={color} label={t(`tokens.states.${state}`)} />
      </Table.Td>
      <Table.Td>{figures.quota(token.used_quota)}</Table.Td>
      <Table.Td>{token.unlimited_quota ? t('common.unlimited') : figures.quota(token.remain_quota)}</Table.Td>
      <Table.Td>
        <Text size="sm">{figures.time(token.created_time)}</Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm">{token.expired_time === -1 ? t('common.never') : figures.time(token.expired_time)}</Text>
      </Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          <Switch
            checked={on}
            aria-label={`${t(on ? 'common.disable' : 'common.enable')} ${token.name}`}
            onChange={() => flip.mutate({ id: token.id, status: on ? DISABLED : ENABLED })}
            mr="xs"
          />
          <ActionIcon
            variant="subtle"
            aria-label={t('tokens.copy', { name: token.name })}
            onClick={() => {
              clipboard.copy(`sk-${token.key}`)
              tell(t('tokens.copied'))
            }}
          >
            <IconCopy size={18} />
          </ActionIcon>
          <ActionIcon variant="subtle" aria-label={`${t('common.edit')} ${token.name}`} onClick={edit}>
            <IconPencil size={18} />
          </ActionIcon>
          <Remove
            name={token.name}
            question={t('tokens.confirm', { name: token.name })}
            onConfirm={() => remove.mutate(token.id)}
          />
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}
