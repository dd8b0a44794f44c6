import { ActionIcon, Anchor, Badge, Button, Checkbox, Group, Popover, Stack, Switch, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPencil } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

import { DISABLED, ENABLED, type Channel } from '../../api/types'
import { useFigures } from '../../ui/figures'
import { InlineNumber } from '../../ui/InlineNumber'
import { Remove } from '../../ui/Remove'
import { StateBadge } from '../../ui/StateBadge'
import { Waiting } from '../../ui/Waiting'
import { useBalance, usePatchChannel, useRemoveChannel, useTestsOf } from './api'
import { names } from './filters'
import { causeOf, money, speed, states } from './states'
import { TestDialog } from './TestDialog'
import { TypeLogo } from './TypeLogo'
import { useChannelTypes } from './types'

interface Props {
  channel: Channel
  chosen: boolean
  choose: (on: boolean) => void
}

export function ChannelRow({ channel, chosen, choose }: Props) {
  const { t } = useTranslation()
  const figures = useFigures()
  const types = useChannelTypes()
  const patch = usePatchChannel()
  const remove = useRemoveChannel()
  const on = channel.status === ENABLED
  const { id, name } = channel
  const actions = (
    <>
      <Switch
        checked={on}
        aria-label={`${t(on ? 'common.disable' : 'common.enable')} ${name}`}
        onChange={() => patch.mutate({ id, status: on ? DISABLED : ENABLED })}
        mr="xs"
      />
      <ActionIcon
        renderRoot={(props) => <Link {...props} to="/channel/edit/$id" params={{ id: String(id) }} />}
        variant="subtle"
        aria-label={`${t('common.edit')} ${name}`}
      >
        <IconPencil size={18} />
      </ActionIcon>
      <Remove name={name} question={t('channels.confirm', { name })} onConfirm={() => remove.mutate(id)} />
    </>
  )
  return (
    <Table.Tr bg={chosen ? 'var(--mantine-primary-color-light)' : undefined}>
      <Table.Td>
        <Checkbox
          aria-label={t('channels.choose', { name })}
          checked={chosen}
          onChange={(event) => choose(event.currentTarget.checked)}
        />
      </Table.Td>
      <Table.Td>
        <Group gap={10} wrap="nowrap">
          <TypeLogo id={channel.type} name={types.name(channel.type)} />
          <div style={{ minWidth: 0 }}>
            <Text fw={500} maw={{ base: 240, sm: 230 }} truncate title={name}>
              {name}
            </Text>
            <Text size="xs" c="dimmed" maw={{ base: 240, sm: 230 }} truncate>
              #{id} · {types.name(channel.type)} · {names(channel.group).join(', ')}
            </Text>
          </div>
        </Group>
        <Group gap="4px 12px" mt={6} hiddenFrom="sm">
          <State channel={channel} />
          <Response channel={channel} />
          <Group gap={4} wrap="nowrap" ml="auto">
            {actions}
          </Group>
        </Group>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <State channel={channel} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Models channel={channel} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Response channel={channel} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <InlineNumber
          label={`${t('channels.priority')} ${name}`}
          value={channel.priority ?? 0}
          onSave={(priority) => patch.mutate({ id, priority })}
        />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <InlineNumber
          label={`${t('channels.weight')} ${name}`}
          value={channel.weight ?? 0}
          min={0}
          onSave={(weight) => patch.mutate({ id, weight })}
        />
      </Table.Td>
      <Table.Td visibleFrom="sm" style={{ whiteSpace: 'nowrap' }}>{figures.quota(channel.used_quota)}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Balance channel={channel} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Group gap={4} wrap="nowrap">
          {actions}
        </Group>
      </Table.Td>
    </Table.Tr>
  )
}

/** The status and why; with a click, all that is known of it. */
function State({ channel }: { channel: Channel }) {
  const { t } = useTranslation()
  const [opened, popover] = useDisclosure()
  const { name, color } = states(channel.status)
  const label = t(`channels.states.${name}`)
  return (
    <>
      <Popover opened={opened} onClose={popover.close} width={340} withArrow trapFocus>
      <Popover.Target>
        <Button
          variant="transparent"
          size="compact-sm"
          px={0}
          onClick={popover.toggle}
          aria-label={t('channels.causeOf', { state: label, name: channel.name })}
        >
          <StateBadge color={color} label={label} />
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('channels.cause')}>
        {opened && <Cause channel={channel} />}
      </Popover.Dropdown>
      </Popover>
      {channel.cause && (
        <Text size="xs" c="red" visibleFrom="sm">
          {t(`channels.causes.${causeOf(channel.cause)}`)}
        </Text>
      )}
    </>
  )
}

function Cause({ channel }: { channel: Channel }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const tests = useTestsOf(channel.id)
  const last = tests.data?.[0]
  return (
    <Stack gap="xs" tabIndex={-1} data-autofocus>
      <Text size="sm" fw={600}>
        {t(`channels.why.${states(channel.status).name}`)}
      </Text>
      {channel.cause && (
        <div>
          <Text size="sm">
            {t(`channels.causes.${causeOf(channel.cause)}`)} · {t('channels.since', { time: figures.time(channel.disabled_time ?? 0) })}
          </Text>
          <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
            {channel.cause}
          </Text>
        </div>
      )}
      {last && <Text size="sm">{t('channels.lastTest')}</Text>}
      {tests.isPending && <Waiting />}
      {tests.isError && <Text size="sm">{tests.error.message}</Text>}
      {tests.isSuccess && !last && <Text size="sm">{t('channels.noTests')}</Text>}
      {last && (
        <>
          <Text size="sm" style={{ overflowWrap: 'anywhere', maxHeight: 240, overflowY: 'auto' }} tabIndex={0}>
            {last.content}
          </Text>
          <Text size="xs" c="dimmed">
            {figures.time(last.created_at)} · {last.model_name}
          </Text>
        </>
      )}
    </Stack>
  )
}

function Models({ channel }: { channel: Channel }) {
  const { t } = useTranslation()
  const models = names(channel.models)
  if (models.length < 2) return <Text size="sm">{models[0] ?? '–'}</Text>
  return (
    <Popover width={320} withArrow>
      <Popover.Target>
        <Anchor component="button" type="button" size="sm" style={{ whiteSpace: 'nowrap' }}>
          {t('channels.modelCount', { count: models.length })}
        </Anchor>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('channels.models')}>
        <Group gap={4} mah={280} style={{ overflowY: 'auto' }} tabIndex={0}>
          {models.map((model) => (
            <Badge key={model} variant="default" tt="none" fw={400}>
              {model}
            </Badge>
          ))}
        </Group>
      </Popover.Dropdown>
    </Popover>
  )
}

/** The time of the last test; with a click, another one. */
function Response({ channel }: { channel: Channel }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const [opened, dialog] = useDisclosure()
  const { response_time: ms } = channel
  const tested = channel.test_time > 0
  const said = !tested ? t('channels.test') : ms ? figures.duration(ms) : t('channels.testFailed')
  const color = !tested ? 'gray' : ms ? speed(ms) : 'red' // a test that failed took no time
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        onClick={dialog.open}
        title={tested ? figures.time(channel.test_time) : undefined}
        aria-label={`${said} · ${t('channels.testOf', { name: channel.name })}`}
        leftSection={
          <span
            aria-hidden
            style={{
              width: 8,
              height: 8,
              borderRadius: 4,
              background: `var(--mantine-color-${color}-6)`,
            }}
          />
        }
      >
        {said}
      </Button>
      {opened && <TestDialog channel={channel} close={dialog.close} />}
    </>
  )
}

function Balance({ channel }: { channel: Channel }) {
  const { t } = useTranslation()
  const figures = useFigures()
  const update = useBalance()
  const known = channel.balance_updated_time > 0
  const said = known ? money(channel.type, channel.balance, figures.decimal) : t('channels.ask')
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      px={4}
      loading={update.isPending}
      title={known ? figures.time(channel.balance_updated_time) : undefined}
      aria-label={`${said} · ${t('channels.balanceOf', { name: channel.name })}`}
      onClick={() => update.mutate(channel.id)}
    >
      {said}
    </Button>
  )
}
