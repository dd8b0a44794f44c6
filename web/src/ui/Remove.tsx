import { ActionIcon } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconTrash } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

import { Confirm } from './Confirm'

interface Props {
  name: string
  question: string
  onConfirm: () => void
}

/** Deleting asks first. */
export function Remove({ name, question, onConfirm }: Props) {
  const { t } = useTranslation()
  const [opened, dialog] = useDisclosure()
  const title = `${t('common.remove')} ${name}`
  return (
    <>
      <ActionIcon variant="subtle" color="red" aria-label={title} title={t('common.remove')} onClick={dialog.open}>
        <IconTrash size={18} />
      </ActionIcon>
      <Confirm
        opened={opened}
        title={title}
        question={question}
        action={t('common.remove')}
        onConfirm={onConfirm}
        onClose={dialog.close}
      />
    </>
  )
}
