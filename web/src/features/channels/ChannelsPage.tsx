import { ActionIcon, Button, Group, Switch, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPencil, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { DISABLED, ENABLED, type Channel } from '../../api/types'
import { Dialog } from '../../ui/Dialog'
import { useFigures } from '../../ui/figures'
import { List } from '../../ui/List'
import { Page } from '../../ui/Page'
import { Remove } from '../../ui/Remove'
import { StateBadge } from '../../ui/StateBadge'
import { CHANNELS, useRemoveChannel, useSwitchChannel } from './api'
import { ChannelForm } from './ChannelForm'
import { useChannelTypes } from './types'

const states = [
  ['unknown', 'gray'],
  ['enabled', 'teal'],
  ['disabled', 'gray'],
  ['auto', 'red'],
] as const

export function ChannelsPage() {
  const { t } = useTranslation()
  const types = useChannelTypes()
  const [opened, dialog] = useDisclosure()
  const [edited, setEdited] = useState<Channel | null>(null)
  const open = (channel: Channel | null) => {
    setEdited(channel)
    dialog.open()
  }
  return (
    <Page
      title={t('channels.title')}
      intro={t('channels.intro')}
      actions={
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => open(null)}>
          {t('channels.add')}
        </Button>
      }
    >
      <List<Channel>
        path={CHANNELS}
        heads={[
          t('common.name'),
          t('channels.type'),
          t('common.status'),
          t('channels.models'),
          t('channels.priority'),
          t('channels.latency'),
          t('channels.used'),
          t('common.actions'),
        ]}
        row={(channel) => <Row key={channel.id} channel={channel} type={types.name(channel.type)} edit={() => open(channel)} />}
        empty={t('channels.empty')}
      />
      <Dialog opened={opened} onClose={dialog.close} title={t(edited ? 'channels.edit' : 'channels.add')} size="xl">
        <ChannelForm channel={edited} done={dialog.close} />
      </Dialog>
    </Page>
  )
}

function Row({ channel, type, edit }: { channel: Channel; type: string; edit: () => void }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const flip = useSwitchChannel()
  const remove = useRemoveChannel()
  const [state, color] = states[channel.status] ?? states[0]
  const on = channel.status === ENABLED
  const models = channel.models.split(',').filter(Boolean)
  return (
    <Table.Tr>
      <Table.Td fw={500}>{channel.name}</Table.Td>
      <Table.Td>{type}</Table.Td>
      <Table.Td>
        <StateBadge color={color} label={t(`channels.states.${state}`)} />
      </Table.Td>
      <Table.Td>
        <Text size="sm" maw={180} truncate title={models.join(', ')}>
          {models.length > 1 ? t('channels.modelCount', { count: models.length }) : models.join(', ')}
        </Text>
      </Table.Td>
      <Table.Td>{channel.priority ?? 0}</Table.Td>
      <Table.Td>
        {channel.test_time ? `${(channel.response_time / 1000).toFixed(2)} s` : t('channels.untested')}
      </Table.Td>
      <Table.Td>{figures.quota(channel.used_quota)}</Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          <Switch
            checked={on}
            aria-label={`${t(on ? 'common.disable' : 'common.enable')} ${channel.name}`}
            onChange={() => flip.mutate({ id: channel.id, status: on ? DISABLED : ENABLED })}
            mr="xs"
          />
          <ActionIcon variant="subtle" aria-label={`${t('common.edit')} ${channel.name}`} onClick={edit}>
            <IconPencil size={18} />
          </ActionIcon>
          <Remove
            name={channel.name}
            question={t('channels.confirm', { name: channel.name })}
            onConfirm={() => remove.mutate(channel.id)}
          />
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}
