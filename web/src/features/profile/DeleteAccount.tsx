import { Button, Card, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { isRoot, useUser } from '../../app/session'
import { Dialog } from '../../ui/Dialog'
import { useDeleteSelf } from './api'

/** Nothing brings an account back, so its name has to be typed. Root's cannot be deleted. */
export function DeleteAccount() {
  const { t } = useTranslation()
  const user = useUser()
  const [opened, dialog] = useDisclosure()
  const [typed, setTyped] = useState('')
  const leave = useDeleteSelf()
  if (isRoot(user)) return null
  return (
    <Card withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t('profile.delete.title')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('profile.delete.hint')}
        </Text>
        <Group>
          <Button color="red" variant="outline" onClick={dialog.open}>
            {t('profile.delete.title')}
          </Button>
        </Group>
      </Stack>
      <Dialog opened={opened} onClose={dialog.close} title={t('profile.delete.title')} centered>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (typed === user.username) leave.mutate()
          }}
        >
          <Stack>
            <TextInput
              label={t('profile.delete.type', { name: user.username })}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={dialog.close}>
                {t('common.cancel')}
              </Button>
              <Button type="submit" color="red" disabled={typed !== user.username} loading={leave.isPending}>
                {t('profile.delete.title')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Dialog>
    </Card>
  )
}
