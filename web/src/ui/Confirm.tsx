import { Button, Group, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { Dialog } from './Dialog'

interface Props {
  opened: boolean
  title: string
  question: string
  /** The word on the button that does it. */
  action: string
  /** Nothing is lost by it. */
  harmless?: boolean
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something is done that cannot be undone; the dialog starts on Cancel. */
export function Confirm({ opened, title, question, action, harmless = false, onConfirm, onClose }: Props) {
  const { t } = useTranslation()
  return (
    <Dialog opened={opened} onClose={onClose} title={title} centered>
      <Stack>
        <Text>{question}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('common.cancel')}
          </Button>
          <Button
            color={harmless ? undefined : 'red.9'}
            onClick={() => {
              onClose()
              onConfirm()
            }}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  )
}
