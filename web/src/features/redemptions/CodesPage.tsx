import { ActionIcon, Button, Group, Switch, Table, Text } from '@mantine/core'
import { useClipboard, useDisclosure } from '@mantine/hooks'
import { IconCopy, IconPencil, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { DISABLED, ENABLED, type Redemption } from '../../api/types'
import { Confirm } from '../../ui/Confirm'
import { useFigures } from '../../ui/figures'
import { List } from '../../ui/List'
import { tell } from '../../ui/notify'
import { Page } from '../../ui/Page'
import { Remove } from '../../ui/Remove'
import { StateBadge } from '../../ui/StateBadge'
import { REDEMPTIONS, USED, useRemoveCode, useRemoveUsed, useSwitchCode } from './api'

export function CodesPage() {
  const { t } = useTranslation()
  const removeUsed = useRemoveUsed()
  const [asking, question] = useDisclosure()
  return (
    <Page
      title={t('redemptions.title')}
      intro={t('redemptions.intro')}
      actions={
        <Group gap="xs">
          <Button component={Link} to="/redemption/add" leftSection={<IconPlus size={18} aria-hidden />}>
            {t('redemptions.add')}
          </Button>
          <Button variant="default" loading={removeUsed.isPending} onClick={question.open}>
            {t('redemptions.removeUsed')}
          </Button>
        </Group>
      }
    >
      <List<Redemption>
        path={REDEMPTIONS}
        heads={[
          t('common.name'),
          t('common.status'),
          t('redemptions.quota'),
          t('redemptions.created'),
          t('redemptions.redeemed'),
          t('common.actions'),
        ]}
        row={(code) => <Row key={code.id} code={code} />}
        search={t('redemptions.search')}
        empty={t('redemptions.empty')}
      />
      <Confirm
        opened={asking}
        title={t('redemptions.removeUsed')}
        question={t('redemptions.confirmUsed')}
        action={t('common.remove')}
        onClose={question.close}
        onConfirm={() =>
          removeUsed.mutate(undefined, { onSuccess: (count) => tell(t('redemptions.removedCount', { count })) })
        }
      />
    </Page>
  )
}

function Row({ code }: { code: Redemption }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const clipboard = useClipboard()
  const flip = useSwitchCode()
  const remove = useRemoveCode()
  const on = code.status === ENABLED
  const used = code.status === USED
  const called = `${code.name} #${code.id}`
  return (
    <Table.Tr>
      <Table.Td>
        <Text fw={500}>{code.name}</Text>
        <Text size="xs" c="dimmed">
          #{code.id}
        </Text>
      </Table.Td>
      <Table.Td>
        <StateBadge
          color={used ? 'gray' : on ? 'teal' : 'red'}
          label={t(`redemptions.states.${used ? 'used' : on ? 'unused' : 'disabled'}`)}
        />
      </Table.Td>
      <Table.Td>{figures.quota(code.quota)}</Table.Td>
      <Table.Td>{figures.time(code.created_time)}</Table.Td>
      <Table.Td>{code.redeemed_time ? figures.time(code.redeemed_time) : t('redemptions.notYet')}</Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          <Switch
            checked={on}
            disabled={used}
            aria-label={`${t(on ? 'common.disable' : 'common.enable')} ${called}`}
            onChange={() => flip.mutate({ id: code.id, status: on ? DISABLED : ENABLED })}
            mr="xs"
          />
          <ActionIcon
            variant="subtle"
            aria-label={t('redemptions.copyOf', { name: called })}
            title={t('redemptions.copy')}
            onClick={() => {
              clipboard.copy(code.key)
              tell(t('redemptions.copied'))
            }}
          >
            <IconCopy size={18} />
          </ActionIcon>
          <ActionIcon
            renderRoot={(props) => <Link {...props} to="/redemption/edit/$id" params={{ id: String(code.id) }} />}
            variant="subtle"
            aria-label={`${t('common.edit')} ${called}`}
          >
            <IconPencil size={18} />
          </ActionIcon>
          <Remove
            name={called}
            question={t('redemptions.confirm', { name: called })}
            onConfirm={() => remove.mutate(code.id)}
          />
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}
