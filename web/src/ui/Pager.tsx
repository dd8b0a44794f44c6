import { ActionIcon, Group, Text } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

interface Props {
  page: number
  /** Whether there is a page after this one. */
  more: boolean
  onChange: (page: number) => void
}

export function Pager({ page, more, onChange }: Props) {
  const { t } = useTranslation()
  return (
    <Group justify="flex-end">
      <Text size="sm">{t('common.page', { page: page + 1 })}</Text>
      <ActionIcon
        variant="default"
        aria-label={t('common.previous')}
        disabled={page === 0}
        onClick={() => onChange(page - 1)}
      >
        <IconChevronLeft size={18} />
      </ActionIcon>
      <ActionIcon variant="default" aria-label={t('common.next')} disabled={!more} onClick={() => onChange(page + 1)}>
        <IconChevronRight size={18} />
      </ActionIcon>
    </Group>
  )
}
