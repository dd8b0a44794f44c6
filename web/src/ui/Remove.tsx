import { ActionIcon, Button, Group, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconTrash } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

import { Dialog } from './Dialog'

interface Props {
  name: string
  question: string
  onConfirm: () => void
}

/** Deleting asks first; the dialog starts on Cancel. */
export function Remove({ name, question, onConfirm }: Props) {
  const { t } = useTranslation()
  const [opened, dialog] = useDisclosure()
  const title = `${t('common.remove')} ${name}`
  return (
    <>
      <ActionIcon variant="subtle" color="red" aria-label={title} title={t('common.remove')} onClick={dialog.open}>
        <IconTrash size={18} />
      </ActionIcon>
      <Dialog opened={opened} onClose={dialog.close} title={title} centered>
        <Stack>
          <Text>{question}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={dialog.close} data-autofocus>
              {t('common.cancel')}
            </Button>
            <Button
              color="red"
              onClick={() => {
                dialog.close()
                onConfirm()
              }}
            >
              {t('common.remove')}
            </Button>
          </Group>
        </Stack>
      </Dialog>
    </>
  )
}
