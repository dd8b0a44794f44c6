import { Button, Group, Stack, Switch, Table, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { DISABLED, ENABLED } from '../../api/types'
import { Remove } from '../../ui/Remove'
import { StateBadge } from '../../ui/StateBadge'
import { useAddKeys, useKeys, useRemoveKey, useSwitchKey } from './api'
import { states } from './states'

/** The keys of a channel that has several: which are in use, and why others are not. Changes take effect at once. */
export function Keys({ id }: { id: number }) {
  const { t } = useTranslation()
  const keys = useKeys(id).data ?? []
  const flip = useSwitchKey(id)
  const add = useAddKeys(id)
  const remove = useRemoveKey(id)
  const [more, setMore] = useState('')
  return (
    <Stack gap="xs" role="group" aria-label={t('channels.keys')}>
      <Text size="sm" fw={500}>
        {t('channels.keys')}
      </Text>
      <Table withTableBorder verticalSpacing={4}>
        <Table.Tbody>
          {keys.map(({ number, hint, status, cause }) => {
            const { name, color } = states(status)
            const called = hint ? `#${number} …${hint}` : `#${number}`
            return (
              <Table.Tr key={number}>
                <Table.Td>{called}</Table.Td>
                <Table.Td>
                  <StateBadge color={color} label={t(`channels.states.${name}`)} />
                  {cause && <Text size="xs">{cause}</Text>}
                </Table.Td>
                <Table.Td w={110}>
                  <Group gap={4} wrap="nowrap">
                    <Switch
                      checked={status === ENABLED}
                      aria-label={`${t(status === ENABLED ? 'common.disable' : 'common.enable')} ${called}`}
                      onChange={() => flip.mutate({ number, status: status === ENABLED ? DISABLED : ENABLED })}
                    />
                    <Remove
                      name={called}
                      question={t('channels.confirmKey', { name: called })}
                      onConfirm={() => remove.mutate(number)}
                    />
                  </Group>
                </Table.Td>
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
      <Group align="flex-end" gap="xs">
        <Textarea
          flex={1}
          size="xs"
          label={t('channels.moreKeys')}
          autosize
          autoComplete="off"
          spellCheck={false}
          value={more}
          onChange={(event) => setMore(event.currentTarget.value)}
        />
        <Button
          size="xs"
          variant="default"
          disabled={!more.trim()}
          loading={add.isPending}
          onClick={() => add.mutate(more, { onSuccess: () => setMore('') })}
        >
          {t('common.add')}
        </Button>
      </Group>
    </Stack>
  )
}
