import { ActionIcon, Badge, Button, Group, Progress, Switch, Table, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconCode, IconListDetails, IconPencil, IconPlus } from '@tabler/icons-react'
import { Link, useNavigate, useParams, useRouterState } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { DISABLED, ENABLED, type Token } from '../../api/types'
import { Dialog } from '../../ui/Dialog'
import { useFigures } from '../../ui/figures'
import { List } from '../../ui/List'
import { Page } from '../../ui/Page'
import { Remove } from '../../ui/Remove'
import { StateBadge } from '../../ui/StateBadge'
import { TOKENS, useRemoveToken, useSwitchToken, useToken } from './api'
import { KeyCell } from './KeyCell'
import { TokenForm } from './TokenForm'
import { UseToken } from './UseToken'

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
  const [used, setUsed] = useState<{ token: Token; fresh: boolean } | null>(null)
  const [using, uses] = useDisclosure()
  const open = (token: Token | null) => {
    setEdited(token)
    dialog.open()
  }
  const use = (token: Token, fresh: boolean) => {
    setUsed({ token, fresh })
    uses.open()
  }
  useAsked(open)
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
          t('tokens.key'),
          t('tokens.used'),
          t('tokens.expires'),
          t('common.actions'),
        ]}
        row={(token) => <Row key={token.id} token={token} edit={() => open(token)} use={() => use(token, false)} />}
        empty={t('tokens.empty')}
      />
      <Dialog opened={opened} onClose={dialog.close} title={t(edited ? 'tokens.edit' : 'tokens.add')} size="lg">
        <TokenForm
          token={edited}
          close={dialog.close}
          done={(token) => {
            dialog.close()
            if (!edited) use(token, true)
          }}
        />
      </Dialog>
      <Dialog
        opened={using}
        onClose={uses.close}
        title={used ? t(used.fresh ? 'tokens.ready' : 'tokens.use', { name: used.token.name }) : ''}
        size="xl"
      >
        {used && <UseToken token={used.token} fresh={used.fresh} />}
      </Dialog>
    </Page>
  )
}

/** /token/add and /token/edit/7 are addresses of One API's consoles: the list, with the dialog open. */
function useAsked(open: (token: Token | null) => void) {
  const navigate = useNavigate()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const { id } = useParams({ strict: false })
  const asked = useToken(id && /^\d+$/.test(id) ? Number(id) : null).data
  const adding = path === '/token/add'
  useEffect(() => {
    if (!adding && !asked) return
    open(asked ?? null)
    void navigate({ to: '/token', replace: true })
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, for what the address asked for
  }, [adding, asked])
}

function Row({ token, edit, use }: { token: Token; edit: () => void; use: () => void }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const flip = useSwitchToken()
  const remove = useRemoveToken()
  const [state, color] = states[token.status] ?? states[0]
  const on = token.status === ENABLED
  const limits = token.models ? token.models.split(',') : []
  return (
    <Table.Tr>
      <Table.Td>
        <Text fw={500}>{token.name}</Text>
        <Group gap={4}>
          {limits.length > 0 && (
            <Tooltip label={limits.join(', ')} multiline maw={320} withArrow>
              <Badge variant="default" tt="none" fw={500} size="sm">
                {t('tokens.modelCount', { count: limits.length })}
              </Badge>
            </Tooltip>
          )}
          {token.subnet && (
            <Tooltip label={token.subnet} multiline maw={320} withArrow>
              <Badge variant="default" tt="none" fw={500} size="sm">
                {t('tokens.limitedNetwork')}
              </Badge>
            </Tooltip>
          )}
        </Group>
      </Table.Td>
      <Table.Td>
        <StateBadge color={color} label={t(`tokens.states.${state}`)} />
      </Table.Td>
      <Table.Td>
        <KeyCell token={token} />
      </Table.Td>
      <Table.Td miw={130}>
        <Usage token={token} />
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
          <ActionIcon variant="subtle" aria-label={t('tokens.use', { name: token.name })} title={t('tokens.useShort')} onClick={use}>
            <IconCode size={18} />
          </ActionIcon>
          <ActionIcon
            renderRoot={(props) => <Link {...props} to="/log" search={{ token: token.name }} />}
            variant="subtle"
            aria-label={t('tokens.logs', { name: token.name })}
            title={t('logs.title')}
          >
            <IconListDetails size={18} />
          </ActionIcon>
          <ActionIcon variant="subtle" aria-label={`${t('common.edit')} ${token.name}`} title={t('common.edit')} onClick={edit}>
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

function Usage({ token }: { token: Token }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const used = figures.quota(token.used_quota)
  if (token.unlimited_quota) return <Text size="sm">{t('tokens.ofUnlimited', { used })}</Text>
  const all = token.used_quota + token.remain_quota
  const percent = all > 0 ? (token.used_quota / all) * 100 : 0
  const text = t('tokens.ofAll', { used, all: figures.quota(all) })
  return (
    <>
      <Text size="sm">{text}</Text>
      <Progress value={percent} size="xs" mt={4} color={percent > 90 ? 'red' : undefined} aria-label={text} />
    </>
  )
}
